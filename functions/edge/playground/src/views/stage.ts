import type { Box } from "../box.ts";
import { byId, svgElement } from "../dom.ts";
import type { Grid } from "../examples.ts";
import type { Picture } from "../picture.ts";

const frame = byId("frame", HTMLElement);
const image = byId("picture", HTMLImageElement);
const patches = byId("patches", SVGSVGElement);
const boxLayer = byId("box", SVGSVGElement);
const showPatches = byId("show-patches", HTMLInputElement);

/** The picture, the patches that the encoder cuts it into, and the box of the last answer. */
export const stage = {
  show(picture: Picture): void {
    image.src = picture.url;
    image.alt = `Your picture: ${picture.name}, ${picture.width} by ${picture.height} pixels`;
    // The frame takes the picture's own shape, so that overlays can be drawn in shares of it.
    frame.style.setProperty("--ratio", String(picture.width / picture.height));
    this.drawBox(undefined);
    setVisible(true);
  },

  clear(): void {
    image.removeAttribute("src");
    setVisible(false);
  },

  /**
   * Patch borders, and heavier borders around the patches that become one visual token. The encoder sees the picture
   * squeezed to a square; here its grid is stretched back to the picture's shape.
   */
  drawPatches({ image_size, patch_size, shuffle }: Grid): void {
    const side = Math.floor(image_size / patch_size);
    const tokens = Math.floor(side / shuffle);
    patches.setAttribute("viewBox", `0 0 ${side} ${side}`);
    const cells = Array.from({ length: tokens * tokens }, (_, index) => {
      const [x, y] = [(index % tokens) * shuffle, Math.floor(index / tokens) * shuffle];
      const cell = svgElement("rect", { class: "token", x, y, width: shuffle, height: shuffle });
      cell.style.setProperty("--turn", String(index / (tokens * tokens)));
      return cell;
    });
    const lines = (step: number): string =>
      Array.from({ length: Math.max(0, Math.ceil(side / step) - 1) }, (_, index) => (index + 1) * step)
        .map((at) => `M${at} 0V${side}M0 ${at}H${side}`)
        .join("");
    patches.replaceChildren(
      ...cells,
      svgElement("path", { class: "patch-lines", d: lines(1) }),
      svgElement("path", { class: "token-lines", d: lines(shuffle) }),
    );
    byId("patch-facts", HTMLElement).textContent =
      `${side} × ${side} patches of ${patch_size} px, joined ${shuffle} × ${shuffle} into ${tokens * tokens} visual tokens`;
  },

  /** The visual tokens glimmer from the question to the first word of the answer. */
  setLooking(looking: boolean): void {
    frame.classList.toggle("looking", looking);
  },

  /** Dims all but the box; without one, dims nothing. */
  drawBox(box: Box | undefined): void {
    boxLayer.replaceChildren();
    if (box === undefined) return;
    const [x, y, right, bottom] = [box.x1 * 100, box.y1 * 100, box.x2 * 100, box.y2 * 100];
    boxLayer.append(
      svgElement("path", { class: "dim", d: `M0 0H100V100H0ZM${x} ${y}V${bottom}H${right}V${y}Z` }),
      svgElement("rect", { class: "outline-back", x, y, width: right - x, height: bottom - y }),
      svgElement("rect", { class: "outline", x, y, width: right - x, height: bottom - y }),
    );
    frame.scrollIntoView({ block: "nearest" });
  },
};

function setVisible(visible: boolean): void {
  byId("drop", HTMLElement).hidden = visible;
  byId("figure", HTMLElement).hidden = !visible;
  byId("under", HTMLElement).hidden = !visible;
}

showPatches.addEventListener("change", () => frame.classList.toggle("no-patches", !showPatches.checked));
