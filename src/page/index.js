
"use strict";
(function () {
  var field = document.getElementById("search");
  var rows = Array.prototype.slice.call(document.querySelectorAll("#list tbody tr"));
  document.getElementById("finder").hidden = false;
  field.addEventListener("input", function () {
    var words = field.value.toLowerCase().split(/\s+/);
    var shown = 0;
    rows.forEach(function (row) {
      var text = row.textContent.toLowerCase();
      row.hidden = !words.every(function (word) { return text.indexOf(word) >= 0; });
      if (!row.hidden) { shown += 1; }
    });
    document.getElementById("found").textContent = shown + " of " + rows.length;
  });
})();
