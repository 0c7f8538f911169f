import sparticuz from "@sparticuz/chromium";
import { chromium, type Browser } from "playwright-core";

/** @sparticuz/chromium's own list asks for one process, in which closing a page can hang; this one does not. */
const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-zygote"];

/** Headless Chromium as npm brings it; `CHROMIUM` names another one, where npm's does not run. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = process.env["CHROMIUM"] ?? (await sparticuz.executablePath());
  return chromium.launch({ executablePath, args: ARGS, headless: true });
}
