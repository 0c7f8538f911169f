import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Browser, JSHandle, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BUILTIN_EXAMPLES } from "../../infra/local/builtin.ts";
import { examples, type Example } from "../examples.ts";
import { startTestStack, type TestStack } from "../stack.ts";
import { launchBrowser } from "./browser.ts";

let stack: TestStack;
let browser: Browser;

beforeAll(async () => {
  [stack, browser] = await Promise.all([startTestStack(), launchBrowser()]);
});

afterAll(async () => {
  await browser.close();
  await stack.stop();
});

describe("the playground in Chromium", () => {
  it("takes a dropped picture and reads the recorded answer", async () => {
    const { image, question, answer } = await exampleOf("02_what.jpg");
    const page = await openPage(browser, stack);
    expect(page.url(), "the key leaves the address bar").toBe(`${stack.edgeUrl}/`);

    await drop(page, image);
    await page.getByRole("img", { name: `Your picture: ${image}` }).waitFor();
    await page.getByLabel("Your question").fill(question);
    await page.getByRole("button", { name: "Ask", exact: true }).click();

    expect(await statusText(page)).toBe(`Answer: ${answer} `);
    expect(await page.locator(".answer").innerText()).toBe(answer);
    const rows = await page.locator("#waterfall .span-name").allTextContents();
    // Not the encoder's: another test may have asked about the picture, and then it is not encoded again.
    expect(rows).toEqual(expect.arrayContaining(["Resize, normalise (edge)", "Write the answer (origin)"]));
    expect(await complaints(page)).toEqual([]);
  });

  it("draws the box of an answer that holds one", async () => {
    const { image, question, answer } = await exampleOf("10_box.png");
    const page = await openPage(browser, stack);
    await page.locator(`#examples img[src="/examples/${image}"]`).click();
    await page.getByRole("img", { name: `Your picture: ${image}` }).waitFor();
    expect(await page.getByLabel("Your question").inputValue()).toBe(question);
    await page.getByRole("button", { name: "Ask", exact: true }).click();

    expect(await statusText(page)).toContain(answer);
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = answer.match(/\d+/g)?.map(Number) ?? [];
    const outline = await page.locator("#box .outline").boundingBox();
    const frame = await page.locator("#frame").boundingBox();
    if (outline === null || frame === null) throw new Error("The box or the picture is not on the page.");
    // Hundredths of the picture; the outline's own width reaches a few pixels beyond.
    expect(Math.abs(outline.x - frame.x - (x1 / 100) * frame.width)).toBeLessThan(4);
    expect(Math.abs(outline.y - frame.y - (y1 / 100) * frame.height)).toBeLessThan(4);
    expect(Math.abs(outline.width - ((x2 - x1) / 100) * frame.width)).toBeLessThan(8);
    expect(Math.abs(outline.height - ((y2 - y1) / 100) * frame.height)).toBeLessThan(8);
    expect(await complaints(page)).toEqual([]);
  });

  it("takes a pasted picture", async () => {
    const { image, question, answer } = await exampleOf("02_what.jpg");
    const page = await openPage(browser, stack);
    const clipboardData = await transferOf(page, image);
    await page.evaluate((clipboardData) => {
      document.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    }, clipboardData);
    await page.getByRole("img", { name: `Your picture: ${image}` }).waitFor();
    await page.getByLabel("Your question").fill(question);
    await page.getByLabel("Your question").press("Enter");

    expect(await statusText(page)).toBe(`Answer: ${answer} `);
    expect(await complaints(page)).toEqual([]);
  });

  it("stops an answer that is on its way, and answers the next question", async () => {
    const { image, question, answer } = await exampleOf("10_box.png");
    const page = await openPage(browser, stack);
    // The first request never reaches the edge, so that Stop always comes before its answer
    await page.route("**/v1/chat/completions", () => undefined, { times: 1 });
    await page.locator(`#examples img[src="/examples/${image}"]`).click();
    await page.getByRole("img", { name: `Your picture: ${image}` }).waitFor();
    await page.getByLabel("Your question").press("Enter");
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("stopped").waitFor();
    expect(await page.locator("#box .outline").count()).toBe(0);

    await page.getByLabel("Your question").fill(question);
    await page.getByRole("button", { name: "Ask", exact: true }).click();
    await page.locator(".answer", { hasText: answer }).waitFor();
    expect(await complaints(page)).toEqual([]);
  });

  it("says in words that the key is wrong, and takes another", async () => {
    const page = await openPage(browser, { ...stack, apiKey: "nonsense" });
    await page.getByRole("alert").waitFor();
    expect(await page.getByRole("alert").innerText()).toMatch(/key/i);
    await page.getByLabel("API key").fill(stack.apiKey);
    await page.getByRole("button", { name: "Use this key" }).click();
    await page.getByLabel("Model").waitFor();
    expect(await page.getByLabel("Model").inputValue()).toBe("moji-vlm-9m");
    expect(await page.getByRole("alert").count()).toBe(0);
  });
});

async function exampleOf(image: string): Promise<Example> {
  const found = (await examples()).find((example) => example.image === image);
  if (found === undefined) throw new Error(`The built-in model has no example ${image}.`);
  return found;
}

/** Opens the page as `npm start` prints it, in a browser profile of its own. */
async function openPage(browser: Browser, { edgeUrl, apiKey }: TestStack): Promise<Page> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.addInitScript(() => {
    const seen: string[] = [];
    Object.assign(window, { seen });
    window.addEventListener("error", (event) => seen.push(event.message));
    window.addEventListener("unhandledrejection", (event) => seen.push(String(event.reason)));
    document.addEventListener("securitypolicyviolation", (event) => seen.push(`CSP: ${event.violatedDirective}`));
  });
  await page.goto(`${edgeUrl}/#key=${apiKey}`);
  await page.locator("#examples button").first().waitFor();
  return page;
}

/** What went wrong inside the page: script errors and breaches of its content security policy. */
function complaints(page: Page): Promise<unknown> {
  return page.evaluate(() => Reflect.get(window, "seen") as unknown);
}

/** A picture of the examples as a drag or a clipboard carries it. */
async function transferOf(page: Page, image: string): Promise<JSHandle<DataTransfer>> {
  const base64 = await readFile(path.join(BUILTIN_EXAMPLES, image), "base64");
  return page.evaluateHandle(
    ([base64, name]) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.codePointAt(0) ?? 0);
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], name, { type: "image/jpeg" }));
      return transfer;
    },
    [base64, image] as const,
  );
}

/** Drops a picture of the examples on the page, as a hand would: with all events of a drag. */
async function drop(page: Page, image: string): Promise<void> {
  const dataTransfer = await transferOf(page, image);
  for (const event of ["dragenter", "dragover", "drop"]) {
    await page.dispatchEvent("body", event, { dataTransfer });
  }
}

/** What a screen reader hears once the answer is whole; the failure's words if there is none. */
async function statusText(page: Page): Promise<string> {
  const said = page.locator("#spoken:not(:empty), .failure").first();
  await said.waitFor({ state: "attached" });
  return (await said.textContent()) ?? "";
}
