// Renders every icon of every class from the icon-set packages to 160 x 160 RGBA.
// usage: node render_icons.mjs CLASSES.txt OUT_DIR   (packages from node_modules in the working directory)
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [classesFile, outDir] = process.argv.slice(2);
const MODULES = path.resolve("node_modules");
const sharp = createRequire(path.join(MODULES, "_"))("sharp");

const TRAIN = [
  "twemoji",
  "noto",
  "noto-v1",
  "fluent-emoji-flat",
  "fluent-emoji",
  "emojione",
  "fxemoji",
  "streamline-emojis",
];
const HELD = ["openmoji"]; // never trained on
const SETS = [...TRAIN, ...HELD];
const NAMING_SETS = ["twemoji", "noto", "openmoji"]; // indexed by code point, with names that others use too
const MIN_TRAIN_SETS = 4; // of a class that is kept
const SIZE = 160; // pixels

const readJson = (file) => JSON.parse(fs.readFileSync(path.join(MODULES, file), "utf8"));
const normaliseHex = (hex) => hex.toLowerCase().replace(/-fe0f/g, "");
const slug = (label) =>
  label
    .toLowerCase()
    .replace(/’|'/g, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");

/** A set's icons by name, by code point, and by name without hyphens. */
function readSet(set) {
  const icons = readJson(`@iconify-json/${set}/icons.json`);
  const characters = readJson(`@iconify-json/${set}/chars.json`);
  return {
    ...icons,
    licence: readJson(`@iconify-json/${set}/info.json`).license,
    byHex: Object.fromEntries(Object.entries(characters).map(([hex, name]) => [normaliseHex(hex), name])),
    joined: Object.fromEntries(Object.keys(icons.icons).map((name) => [name.replace(/-/g, ""), name])),
  };
}

/** Code point -> shortcodes of all vendors. */
function readShortcodes() {
  const shortcodes = {};
  const folder = "emojibase-data/en/shortcodes";
  for (const file of fs.readdirSync(path.join(MODULES, folder))) {
    if (!file.endsWith(".json") || file.endsWith(".d.json")) continue;
    for (const [hex, codes] of Object.entries(readJson(`${folder}/${file}`))) {
      (shortcodes[normaliseHex(hex)] ??= []).push(...[codes].flat());
    }
  }
  return shortcodes;
}

const sets = Object.fromEntries(SETS.map((set) => [set, readSet(set)]));
const shortcodes = readShortcodes();
const emoji = readJson("emojibase-data/en/data.json");
const byLabel = Object.fromEntries(emoji.map((entry) => [entry.label.toLowerCase(), entry]));

/** The name of an emoji's icon in a set: by code point, or by one of its names where a set has no such table. */
function findIcon(set, entry) {
  const { icons, byHex, joined } = sets[set];
  const hex = normaliseHex(entry.hexcode);
  if (byHex[hex] && icons[byHex[hex]]) return byHex[hex];
  if (Object.keys(byHex).length > 0) return null;
  const aliases = [
    slug(entry.label),
    ...NAMING_SETS.map((other) => sets[other].byHex[hex]).filter(Boolean),
    ...(shortcodes[hex] ?? []).map(slug),
  ];
  for (const alias of aliases) {
    for (const name of [alias, `${alias}-1`, `${alias}-2`]) if (icons[name]) return name;
    const name = joined[alias.replace(/-/g, "")];
    if (name) return name;
  }
  return null;
}

/** `label[+label...][=name]`, separated by semicolons; lines that begin with # are comments. */
function readClasses(file) {
  const lines = fs.readFileSync(file, "utf8").split("\n");
  const entries = lines
    .filter((line) => !line.startsWith("#"))
    .join(";")
    .split(";")
    .map((entry) => entry.trim())
    .filter((entry) => entry && !entry.startsWith("#"));
  return entries.map((entry) => {
    const [labels, name] = entry.split("=");
    const all = labels.split("+").map((label) => label.trim());
    return { labels: all, name: (name ?? all[0]).trim() };
  });
}

async function render(set, name) {
  const icon = sets[set].icons[name];
  const width = icon.width || sets[set].width || 16;
  const height = icon.height || sets[set].height || 16;
  const left = icon.left || sets[set].left || 0;
  const top = icon.top || sets[set].top || 0;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${SIZE}" ` +
    `height="${SIZE}" viewBox="${left} ${top} ${width} ${height}" color="#222">${icon.body}</svg>`;
  const transparent = { r: 0, g: 0, b: 0, alpha: 0 };
  const picture = sharp(Buffer.from(svg)).resize(SIZE, SIZE, { fit: "contain", background: transparent });
  const rgba = await picture.ensureAlpha().raw().toBuffer();
  if (rgba.length !== SIZE * SIZE * 4) throw new Error(`${rgba.length} bytes`);
  return rgba;
}

const classes = [];
const rows = [];
const pixels = [];
for (const { labels, name } of readClasses(classesFile)) {
  if (classes.some((known) => known.name === name)) {
    console.log("named twice:", name);
    continue;
  }
  const entries = labels.map((label) => byLabel[label.toLowerCase()]).filter(Boolean);
  const found = SETS.flatMap((set) => entries.map((entry) => [set, findIcon(set, entry)])).filter(([, icon]) => icon);
  const trainSets = new Set(found.map(([set]) => set).filter((set) => TRAIN.includes(set))).size;
  if (trainSets < MIN_TRAIN_SETS || !found.some(([set]) => HELD.includes(set))) {
    console.log("in too few sets:", name);
    continue;
  }
  const index = classes.push({ name, labels, sets: trainSets }) - 1;
  for (const [set, icon] of found) {
    try {
      pixels.push(await render(set, icon));
      rows.push({ c: index, set, icon });
    } catch (error) {
      console.log("cannot be rendered:", set, icon, String(error).slice(0, 80));
    }
  }
}
fs.mkdirSync(outDir, { recursive: true });
fs.writeFileSync(path.join(outDir, "icons.rgba"), Buffer.concat(pixels));
const licences = Object.fromEntries(SETS.map((set) => [set, sets[set].licence]));
fs.writeFileSync(
  path.join(outDir, "icons.json"),
  JSON.stringify({ size: SIZE, train: TRAIN, held: HELD, licences, classes, rows }),
);
console.log(classes.length, "classes", rows.length, "icons");
