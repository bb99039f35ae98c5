
"use strict";
// Copying the English is all that this script does; the page reads the same without it.
(function () {
  var button = document.getElementById("copy");
  var status = document.getElementById("copied");
  var plain = document.getElementById("plain").value;
  var html = document.getElementById("clean").innerHTML;
  button.parentNode.hidden = false;
  function done() { status.textContent = "Copied."; }
  // Where the newer way is not allowed (an old browser, a page without a secure origin).
  function older() {
    function give(event) {
      event.clipboardData.setData("text/plain", plain);
      event.clipboardData.setData("text/html", html);
      event.preventDefault();
    }
    document.addEventListener("copy", give);
    var ok = document.execCommand("copy");
    document.removeEventListener("copy", give);
    status.textContent = ok ? "Copied." : "This browser does not allow it; select the text by hand.";
  }
  button.addEventListener("click", function () {
    try {
      navigator.clipboard.write([new ClipboardItem({
        "text/plain": new Blob([plain], { type: "text/plain" }),
        "text/html": new Blob([html], { type: "text/html" })
      })]).then(done, older);
    } catch (error) {
      older();
    }
  });
})();
