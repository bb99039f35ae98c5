#!/usr/bin/env python3
"""Golden prompts of chat templates, rendered by jinja2 as transformers sets it up (pip install transformers jinja2).

  chat.py tests/golden/tokenizer/chat.json

The templates are short ones in the manner of the models they are named after; a real one comes with its model.
"""
import json, sys
from transformers.utils import chat_template_utils as ct

SMOLLM2 = """{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system
You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>
' }}{% endif %}{{'<|im_start|>' + message['role'] + '
' + message['content'] + '<|im_end|>' + '
'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant
' }}{% endif %}"""
QWEN25 = """{%- if tools %}
    {{- '<|im_start|>system\\n# Tools\\n' }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "<|im_end|>\\n" }}
{%- else %}
    {%- if messages[0]['role'] == 'system' %}
        {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>system\\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\\n' }}
    {%- endif %}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""
QWEN3 = """{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = message.content if message.content is string else '' %}
    {%- if message.role == "assistant" %}
        {%- set reasoning = '' %}
        {%- if '</think>' in content %}
            {%- set reasoning = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
            {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query_index and (loop.last or reasoning) %}
            {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') + '<|im_end|>\\n' }}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>\\n' }}
        {%- endif %}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}"""
GEMMA3 = """{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}
        {%- set first_user_prefix = messages[0]['content'] + '\\n\\n' -%}
    {%- else -%}
        {%- set first_user_prefix = messages[0]['content'][0]['text'] + '\\n\\n' -%}
    {%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("Conversation roles must alternate user/assistant/user/assistant/...") }}
    {%- endif -%}
    {%- if (message['role'] == 'assistant') -%}
        {%- set role = "model" -%}
    {%- else -%}
        {%- set role = message['role'] -%}
    {%- endif -%}
    {{ '<start_of_turn>' + role + '\\n' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}
                {{ '<start_of_image>' }}
            {%- elif item['type'] == 'text' -%}
                {{ item['text'] | trim }}
            {%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content type") }}
    {%- endif -%}
    {{ '<end_of_turn>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<start_of_turn>model\\n'}}
{%- endif -%}
"""
TRANSLATE = """{%- set languages = {'bn': 'Bengali', 'en': 'English'} -%}
{{ bos_token }}
{%- for message in messages %}
    {%- if message['content'] is string or message['content'] | length != 1 %}{{ raise_exception('one text, please') }}{% endif %}
    {%- set item = message['content'][0] %}
    {%- set source = item['source_lang_code'] | replace('_', '-') %}
    {%- if source.split('-')[0] not in languages %}{{ raise_exception("Unknown language " ~ source) }}{% endif %}
    {{- '<start_of_turn>user\\nTranslate ' + languages[source.split('-')[0]] + ' (' + source + ') to ' + languages.get(item['target_lang_code'], 'English') + ':\\n\\n\\n' + item['text'] | trim + '<end_of_turn>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}
"""
LLAMA3 = """{{- bos_token }}
{%- if not date_string is defined %}
    {%- set date_string = "26 Jul 2024" %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{{- "Today Date: " + date_string + "\\n\\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {%- if message.role == 'tool' %}{% continue %}{% endif %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""
BLOCKS = """
{% macro turn(m) %}
  [{{ m.role|upper }}] {{ m.content.replace('a', 'A').upper() }} {{ m.get('x', 'none') }}
{% endmacro %}
  {% for m in messages %}
    {{ turn(m) }}
  {% if loop.index is even %}
  even {{ loop.previtem.role }}
  {% elif not loop.last %}odd {{ loop.nextitem.role }}
  {% endif %}
  {% endfor %}
{{ messages | map(attribute='role') | join(', ') }} {{ messages | selectattr('role', 'equalto', 'user') | list | length }}
{{ {'k': 'ক <b>', 'n': [1, 2.5, none, true]} | tojson }}
{{ {'k': ['a']} | tojson(indent=2) }} {{ eos_token }}
"""
u = lambda text: dict(role="user", content=text)
s = lambda text: dict(role="system", content=text)
m = lambda text: dict(role="assistant", content=text)
article = "ঢাকা, ২৬ মার্চ: “সোনার বাংলা”।\n\n  দ্বিতীয় অনুচ্ছেদ <b>&amp;</b> {{ not a template }}  "
conversations = dict(one=[u(article)], system=[s("Be brief."), u(article)], long=[u("হ্যালো"), m("<think>\nhm\n</think>\n\nHello"), u(article), m("<think>a\n</think>\n\nok")])
cases = []


def add(name, template, messages, generate=True, **variables):
    case = dict(name=name, template=template, messages=messages, variables=variables, add_generation_prompt=generate)
    try: case["rendered"] = ct._compile_jinja_template(template).render(messages=messages, add_generation_prompt=generate, bos_token="<bos>", eos_token="<eos>", **variables)
    except Exception as e: case["raises"] = str(e)
    cases.append(case)


for name, template in dict(smollm2=SMOLLM2, qwen25=QWEN25, qwen3=QWEN3, gemma3=GEMMA3, llama3=LLAMA3, blocks=BLOCKS).items():
    for which, messages in conversations.items():
        add(f"{name} {which}", template, messages, which != "long")
add("qwen3 without thinking", QWEN3, conversations["one"], enable_thinking=False)
add("qwen2.5 tools", QWEN25, conversations["one"], tools=[dict(name="f", about="সংখ্যা <n>")])
add("gemma3 parts", GEMMA3, [dict(role="user", content=[dict(type="text", text=" a "), dict(type="image")])])
add("gemma3 refuses", GEMMA3, [u("a"), u("b")])
add("translate", TRANSLATE, [dict(role="user", content=[dict(type="text", source_lang_code="bn_BD", target_lang_code="en", text=article)])])
add("translate refuses", TRANSLATE, [dict(role="user", content=[dict(type="text", source_lang_code="tlh", target_lang_code="en", text="a")])])
json.dump(cases, open(sys.argv[1], "w", encoding="utf-8"), ensure_ascii=False, indent=0)
print(len(cases), "cases,", sum("raises" in c for c in cases), "refused:", [c["raises"] for c in cases if "raises" in c])
