"""Writes golden.json: how real chat templates write tool calls, rendered by transformers.

    python generate.py TEMPLATES

TEMPLATES is a folder of *.jinja files as the source distribution of llama-cpp-python has in vendor/llama.cpp/models/templates. Of
each template that takes tools its assistant turns are kept, and nothing else of its text.
"""

import hashlib
import json
import pathlib
import sys

import transformers
from transformers.utils.chat_template_utils import _compile_jinja_template

FORMATS = {
    "hermes": ["Bielik-11B-v3.0", "MiMo-VL", "Hermes-2-Pro", "Hermes-3", "QwQ-32B", "Qwen2.5-7B", "Qwen3-0.6B", "Reka-Edge", "granite-4.0"],
    "llama": ["meta-llama-Llama-3.1", "Llama-3.2-3B", "Llama-3.3"],
    "mistral": ["Mistral-Nemo"],
    "mistral-args": ["Mistral-Small-3.2", "Devstral", "Ministral-3"],
    "glm": ["GLM-4.6", "GLM-4.7-Flash"],
    "qwen-xml": ["Qwen3-Coder", "Qwen3.5-4B", "Nemotron-3-Nano"],
    None: ["DeepSeek-V3.1", "gemma-2-2b", "gpt-oss", "Kimi-K2-Instruct", "command-r7b-12", "Phi-3.5"],
}
ENDS = ["<|im_end|>", "<|eot_id|>", "</s>", "<|observation|>", "<|end_of_text|>", "\n\n<sep>"]
QUESTION = "FOVEA?"
PROBE = {
    "name": "fovea_probe",
    "description": "Does nothing.",
    "parameters": {
        "type": "object",
        "properties": {
            "text": {"type": "string", "description": "Any text."},
            "count": {"type": "integer", "description": "Any number."},
        },
        "required": ["text", "count"],
    },
}
WEATHER = {
    "name": "get_weather",
    "description": "The weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Its name."},
            "days": {"type": "integer", "description": "How many."},
            "options": {"type": "object", "description": "More."},
        },
        "required": ["city"],
    },
}
CLOCK = {"name": "clock", "description": "The time.", "parameters": {"type": "object", "properties": {}}}
TOOLS = [{"type": "function", "function": one} for one in (WEATHER, CLOCK)]
CASES = [
    [("get_weather", {"city": "Paris", "days": 3})],
    [("get_weather", {"city": "7"})],
    [("get_weather", {"city": 'São "Tomé"\n\\ {[<x> 東京', "options": {"a": [1, None, True, {"b": "}]"}], "": -1.5e3}})],
    [("clock", {})],
    [("get_weather", {"city": "Paris"}), ("clock", {}), ("get_weather", {"city": "Rome", "days": 0})],
]


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    templates = []
    for format_name, names in FORMATS.items():
        for name in names:
            (file,) = [path for path in folder.glob("*.jinja") if name in path.name]
            source = file.read_text()
            template = _compile_jinja_template(source)
            described, called = probe(template)
            turns = [] if format_name is None else [turn for calls in CASES for turn in turns_of(template, calls)]
            templates.append({
                "template": file.stem,
                "sha256": hashlib.sha256(source.encode()).hexdigest(),
                "format": format_name,
                "described": described,
                "called": called,
                "turns": turns,
            })
    golden = {"transformers": transformers.__version__, "tools": [tool["function"] for tool in TOOLS], "templates": templates}
    path = pathlib.Path(__file__).with_name("golden.json")
    path.write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n")
    print(f"{len(templates)} templates, {sum(len(one['turns']) for one in templates)} turns")


def render(template, messages, tools, **more) -> str:
    return template.render(messages=messages, tools=tools, bos_token="<s>", eos_token="</s>", **more)


def answer(content, calls):
    tool_calls = [
        {"id": f"fovea000{i}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for i, (name, arguments) in enumerate(calls)
    ]
    return {"role": "assistant", "content": content, "tool_calls": tool_calls}


def probe(template):
    """Whether the probe is told of, and what the template writes after the question when it was called."""
    tools = [{"type": "function", "function": PROBE}]
    question = {"role": "user", "content": QUESTION}
    try:
        prompt = render(template, [question], tools, add_generation_prompt=True)
        whole = render(template, [question, answer("", [("fovea_probe", {"text": "fovea", "count": 3})])], tools)
    except Exception:
        return False, None
    turn = turn_in(prompt, whole)
    return "fovea_probe" in prompt, turn if "fovea_probe" in turn else None


def turn_in(prompt, whole):
    """Some templates open the turn in another way when it is to be written than when it was."""
    return whole[len(prompt):] if whole.startswith(prompt) else whole[whole.rindex(QUESTION) + len(QUESTION):]


def turns_of(template, calls):
    for content in ("", "I look."):
        messages = [{"role": "user", "content": QUESTION}, answer(content, calls)]
        try:
            prompt = render(template, messages[:1], TOOLS, add_generation_prompt=True)
            whole = render(template, messages, TOOLS)
        except Exception:
            continue  # Templates of Llama refuse several calls, for one.
        turn = turn_in(prompt, whole)
        end = max((at for at in (turn.rfind(word) for word in ENDS) if at != -1), default=len(turn))
        yield {"content": content if content in turn else "", "calls": calls, "text": turn[:end]}


main()
