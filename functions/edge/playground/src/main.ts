import * as z from "zod/mini";
import { keepApiKey, takeApiKey } from "./api-key.ts";
import { ApiError } from "./api/error.ts";
import { listModels } from "./api/models.ts";
import { ask, isAsking, startOver, stopAsking } from "./asking.ts";
import { byId } from "./dom.ts";
import { fetchExample, loadBuiltInModel } from "./examples.ts";
import { toWords } from "./failure.ts";
import { readPicture, type Picture } from "./picture.ts";
import { forgetPickedExample, renderExamples } from "./views/example-list.ts";
import { keyForm } from "./views/key-form.ts";
import { chosenModel, renderModels } from "./views/model-select.ts";
import { hideNotice, showNotice } from "./views/notice.ts";
import { listenForPictures } from "./views/picture-input.ts";
import { stage } from "./views/stage.ts";
import { renderSuggestions } from "./views/suggestions.ts";

// zod tries `new Function` for speed; the page's content security policy forbids it, and says so in the console.
z.config({ jitless: true });

const questionField = byId("question", HTMLInputElement);
let apiKey = takeApiKey(location, history, sessionStorage);
let builtInModel: string | undefined;
let picture: Picture | undefined;
/** Rises with each picture chosen, so that a slow read never replaces a later choice. */
let choice = 0;

async function show(load: () => Promise<Blob>, name: string, ownQuestion?: string): Promise<void> {
  const current = ++choice;
  try {
    const next = await readPicture(await load(), name);
    if (current !== choice) return next.release();
    dropPicture();
    picture = next;
    stage.show(next);
    hideNotice();
    renderSuggestions(ownQuestion, (question) => void submit(question));
    questionField.value = ownQuestion ?? "";
  } catch (error) {
    if (current === choice) showNotice(toWords(error));
  }
}

function dropPicture(): void {
  startOver();
  picture?.release();
  picture = undefined;
  stage.clear();
}

async function submit(question: string): Promise<void> {
  if (isAsking() || question === "") return;
  const model = chosenModel();
  if (apiKey === undefined || model === undefined) {
    await connect();
    if (apiKey === undefined || chosenModel() === undefined) return;
    return submit(question);
  }
  hideNotice();
  questionField.value = "";
  const refusal = await ask({ apiKey, model, picture, question });
  if (refusal === 401) keyForm.open();
}

/** Asks the API for its models, which also tells whether the key is good. */
async function connect(): Promise<void> {
  if (apiKey === undefined) return keyForm.open();
  try {
    renderModels(await listModels(apiKey), builtInModel);
    hideNotice();
  } catch (error) {
    showNotice(toWords(error));
    if (error instanceof ApiError && error.status === 401) keyForm.open();
  }
}

async function start(): Promise<void> {
  renderSuggestions(undefined, (question) => void submit(question));
  try {
    const { model, grid, examples } = await loadBuiltInModel();
    builtInModel = model;
    stage.drawPatches(grid);
    renderExamples(examples, (example) => void show(() => fetchExample(example), example.image, example.question));
  } catch (error) {
    showNotice(toWords(error));
  }
  await connect();
}

keyForm.listen((key) => {
  apiKey = key;
  keepApiKey(key, sessionStorage);
  void connect();
});
listenForPictures((file) => {
  forgetPickedExample();
  void show(() => Promise.resolve(file), file.name);
});
byId("ask", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  void submit(questionField.value.trim());
});
byId("stop-button", HTMLButtonElement).addEventListener("click", stopAsking);
byId("again", HTMLButtonElement).addEventListener("click", () => {
  startOver();
  questionField.focus();
});
byId("other-picture", HTMLButtonElement).addEventListener("click", () => {
  choice++;
  dropPicture();
  forgetPickedExample();
  byId("file", HTMLInputElement).focus();
});
void start();
