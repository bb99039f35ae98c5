
"use strict";
(function () {
  var words = JSON.parse(document.getElementById("words").textContent);
  var get = function (id) { return document.getElementById(id); };
  var form = get("form"), text = get("text"), result = get("result"), pairs = get("pairs"), bar = get("progress");
  var abort = null, last = null, rows = [], done = 0, queue = [];

  function word(key, values) {
    return words[key].replace(/\{(\w+)\}/g, function (_, name) { return String(values[name]); });
  }
  function say(line) { get("status").textContent = line; }
  // Text goes in as text, whatever it looks like.
  function element(tag, className, content, lang) {
    var made = document.createElement(tag);
    if (className) { made.className = className; }
    if (content) { made.textContent = content; }
    if (lang) { made.lang = lang; }
    return made;
  }

  // ---- what comes
  function start(data) {
    done = 0;
    rows = data.segments.map(function (segment, index) {
      var row = element("div", "pair waiting");
      row.tabIndex = 0;
      row.setAttribute("role", "button");
      row.setAttribute("aria-expanded", "false");
      if (segment.sentence === 0) { row.classList.add("first"); }
      if (segment.block === null) { row.classList.add("head"); }
      if (segment.kind) { row.classList.add(segment.kind.kind || segment.kind); }
      row.appendChild(element("p", "bn", segment.source, "bn"));
      row.appendChild(element("p", "en", "", "en"));
      row.addEventListener("click", function () { toggle(index); });
      row.addEventListener("keydown", function (event) {
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); toggle(index); }
      });
      pairs.appendChild(row);
      return { row: row, data: null };
    });
    bar.max = Math.max(rows.length, 1);
    bar.value = 0;
    result.hidden = false;
    progress();
  }
  function progress() {
    bar.value = done;
    say(word("working", { done: done, all: rows.length }));
  }
  function draft(data) {
    var row = rows[data.segment].row;
    row.classList.remove("waiting");
    row.classList.add("draft");
    row.lastChild.textContent = data.text;
  }
  function sentence(data) {
    var entry = rows[data.segment], english = entry.row.querySelector(".en");
    if (!entry.data) { done += 1; }
    entry.data = data;
    entry.row.classList.remove("waiting", "draft");
    english.textContent = data.text;
    if (data.trust === "doubtful" || data.trust === "unsure") {
      var percent = typeof data.confidence === "number" && data.confidence < 0.6 ? " " + Math.round(data.confidence * 100) + "%" : "";
      entry.row.classList.add(data.trust);
      english.appendChild(document.createTextNode(" "));
      english.appendChild(element("span", "badge", words[data.trust] + percent));
      entry.row.title = words["toggle"];
    }
    progress();
  }
  function toggle(index) {
    var entry = rows[index], open = entry.row.querySelector(".why");
    if (open) {
      open.remove();
      entry.row.setAttribute("aria-expanded", "false");
      return;
    }
    if (!entry.data) { return; }
    var why = element("ul", "why");
    entry.data.findings.forEach(function (finding) { why.appendChild(element("li", "", finding.message)); });
    if (!entry.data.findings.length) { why.appendChild(element("li", "", words["nofindings"])); }
    entry.row.appendChild(why);
    entry.row.setAttribute("aria-expanded", "true");
  }
  function article(data) {
    last = data.rendered;
    var all = get("sentences");
    all.textContent = "";
    if (data.summary) {
      data.summary.sentences.forEach(function (line) { all.appendChild(element("p", "", line)); });
    }
    get("sum").hidden = !data.summary;
    say(word("finished", { doubtful: data.doubt.doubtful, all: data.doubt.sentences }));
    remember(data.article.title || (data.summary && data.summary.headline) || "");
  }
  var handlers = { start: start, draft: draft, sentence: sentence, article: article,
    error: function (data) { throw new Error(data.error); } };

  // ---- asking
  function events(reader) {
    var decoder = new TextDecoder(), rest = "";
    function more(chunk) {
      if (chunk.done) { return; }
      rest += decoder.decode(chunk.value, { stream: true });
      var parts = rest.split("\n\n");
      rest = parts.pop();
      parts.forEach(function (part) {
        var event = /^event: (\w+)\ndata: (.*)$/.exec(part);
        if (event && handlers[event[1]]) { handlers[event[1]](JSON.parse(event[2])); }
      });
      return reader.read().then(more);
    }
    return reader.read().then(more);
  }
  var source = "";
  function translate(file) {
    var body = new FormData();
    if (file) { body.append("file", file, file.name); source = ""; } else { body.append("text", text.value); source = text.value; }
    body.append("summary", get("summary").checked ? "true" : "false");
    body.append("api_key", get("key").value);
    body.append("stream", "true");
    body.append("render", "true");
    abort = new AbortController();
    last = null;
    pairs.textContent = "";
    get("sum").hidden = true;
    result.hidden = true;
    get("cancel").hidden = bar.hidden = false;
    get("go").disabled = true;
    say(words["reading"]);
    return fetch("/v1/article", { method: "POST", body: body, signal: abort.signal }).then(function (response) {
      if (response.ok) { return events(response.body.getReader()); }
      return response.json().then(function (data) { throw new Error(data.error); });
    }).catch(function (error) {
      queue = error.name === "AbortError" ? [] : queue;
      say(error.name === "AbortError" ? words["cancelled"] : error instanceof TypeError ? words["lost"] : error.message);
    }).then(function () {
      get("cancel").hidden = bar.hidden = true;
      get("go").disabled = false;
      if (queue.length) { return translate(queue.shift()); }
    });
  }
  function begin(files) {
    var wanted = Array.prototype.filter.call(files, function (file) { return /\.(txt|html?|md)$/i.test(file.name); });
    if (abort && get("go").disabled) { queue = queue.concat(wanted); return; }
    queue = wanted.slice(1);
    if (wanted.length) { translate(wanted[0]); }
  }
  form.addEventListener("submit", function (event) {
    event.preventDefault();
    var files = get("file").files;
    if (text.value.trim()) { translate(null); } else if (files.length) { begin(files); } else { text.focus(); }
  });
  get("cancel").addEventListener("click", function () { abort.abort(); });
  get("folder").addEventListener("change", function () { begin(get("folder").files); });
  if ("webkitdirectory" in get("folder")) {
    get("folder").webkitdirectory = true;
    get("folder-row").hidden = false;
  }

  // ---- dropping
  function walk(entry, found) {
    return new Promise(function (resolve) {
      if (entry.isFile) { entry.file(function (file) { found.push(file); resolve(); }, resolve); return; }
      var reader = entry.createReader();
      (function next() {
        reader.readEntries(function (entries) {
          if (!entries.length) { resolve(); return; }
          Promise.all(entries.map(function (inner) { return walk(inner, found); })).then(next);
        }, resolve);
      })();
    });
  }
  function shows(event) { return Array.prototype.indexOf.call(event.dataTransfer.types, "Files") >= 0; }
  document.addEventListener("dragover", function (event) {
    if (shows(event)) { event.preventDefault(); get("drop").hidden = false; }
  });
  document.addEventListener("dragleave", function (event) { if (!event.relatedTarget) { get("drop").hidden = true; } });
  document.addEventListener("drop", function (event) {
    get("drop").hidden = true;
    if (!shows(event)) { return; }
    event.preventDefault();
    var entries = Array.prototype.map.call(event.dataTransfer.items, function (item) { return item.webkitGetAsEntry && item.webkitGetAsEntry(); });
    if (!entries.every(Boolean)) { begin(event.dataTransfer.files); return; }
    var found = [];
    Promise.all(entries.map(function (entry) { return walk(entry, found); })).then(function () { begin(found); });
  });

  // ---- taking away
  get("copy").addEventListener("click", function () {
    if (last) { navigator.clipboard.writeText(last.text).then(function () { say(words["copied"]); }, function () { }); }
  });
  var kinds = { html: ["text/html", "html"], markdown: ["text/markdown", "md"], text: ["text/plain", "txt"] };
  Array.prototype.forEach.call(document.querySelectorAll("[data-form]"), function (button) {
    button.addEventListener("click", function () {
      var form = button.getAttribute("data-form");
      if (!last) { return; }
      var link = element("a");
      link.href = URL.createObjectURL(new Blob([last[form]], { type: kinds[form][0] }));
      link.download = "article." + kinds[form][1];
      link.click();
      setTimeout(function () { URL.revokeObjectURL(link.href); }, 1000);
    });
  });

  // ---- history: in this browser alone
  function earlier() {
    try { return JSON.parse(localStorage.getItem("anubad-history")) || []; } catch (error) { return []; }
  }
  function remember(title) {
    if (!source) { return; }
    var list = earlier().filter(function (old) { return old.source !== source; });
    list.unshift({ title: title || source.trim().slice(0, 60), source: source });
    try { localStorage.setItem("anubad-history", JSON.stringify(list.slice(0, 20))); } catch (error) { /* full: no history */ }
    show();
  }
  function show() {
    var list = get("earlier"), all = earlier();
    list.textContent = "";
    all.forEach(function (old) {
      var item = element("li"), button = element("button", "", old.title);
      button.type = "button";
      button.addEventListener("click", function () { text.value = old.source; text.focus(); });
      item.appendChild(button);
      list.appendChild(item);
    });
    get("history").hidden = !all.length;
  }
  get("forget").addEventListener("click", function () { localStorage.removeItem("anubad-history"); show(); });
  show();
})();
