"use strict";
/* A bullet lights up its passage. The page reads without this: a bullet is a link to its first paragraph. */
(function () {
  var back = document.getElementById("back");

  function clear() {
    document.querySelectorAll(".lit").forEach(function (one) { one.classList.remove("lit"); });
  }

  function paragraphsOf(bullet) {
    var head = bullet.getAttribute("href").slice(1).split("p")[0];
    return bullet.dataset.p.split(" ").map(function (index) { return document.getElementById(head + "p" + index); });
  }

  function light(bullet) {
    clear();
    bullet.classList.add("lit");
    paragraphsOf(bullet).forEach(function (one) { if (one) one.classList.add("lit"); });
    if (back) {
      back.hidden = false;
      bullet.id = bullet.id || "b" + Date.now();
      back.setAttribute("href", "#" + bullet.id);
    }
  }

  /* at the end of a chapter its plan has left the window with the text: step back as far as the passage stays in it */
  function keepInSight(bullet) {
    var passage = paragraphsOf(bullet)[0].getBoundingClientRect();
    var hidden = 70 - bullet.getBoundingClientRect().top;
    if (hidden > 0 && passage.top + hidden < window.innerHeight - 60) window.scrollBy(0, -hidden);
  }

  /* a paragraph lights up the bullets that rest on it */
  function lightBullets(paragraph) {
    var index = paragraph.id.split("p")[1];
    var resting = Array.prototype.filter.call(
      paragraph.closest(".row").querySelectorAll("a[data-p]"),
      function (bullet) { return bullet.dataset.p.split(" ").indexOf(index) >= 0; }
    );
    clear();
    if (!resting.length) return;
    paragraph.classList.add("lit");
    resting.forEach(function (bullet) { bullet.classList.add("lit"); });
    var plan = resting[0].closest(".inner"), top = resting[0].offsetTop;
    if (top < plan.scrollTop || top > plan.scrollTop + plan.clientHeight - 60) plan.scrollTop = top - 60;
  }

  document.addEventListener("click", function (event) {
    var bullet = event.target.closest("a[data-p]"), paragraph = event.target.closest("article p[id]:not(.mark)");
    if (bullet) {
      light(bullet);
      /* a jump takes the keyboard along to the text; whoever goes through the bullets wants to stay among them */
      setTimeout(function () { bullet.focus({ preventScroll: true }); keepInSight(bullet); }, 0);
    } else if (paragraph && String(window.getSelection()) === "") {
      lightBullets(paragraph);
    }
  });

  /* a link to a paragraph, from elsewhere or by the browser's own back and forward */
  function lightTarget() {
    var target = document.getElementById(location.hash.slice(1));
    if (!target || target.classList.contains("lit")) return;
    clear();
    if (target.matches("article p:not(.mark)")) target.classList.add("lit");
  }
  document.documentElement.classList.add("scripted");
  window.addEventListener("hashchange", lightTarget);
  lightTarget();

  /* the filter of a list: of no use without a script, so a script shows it */
  document.querySelectorAll("input[data-filter]").forEach(function (input) {
    var rows = document.querySelectorAll("#" + input.dataset.filter + " tbody tr");
    var box = input.closest(".filter"), told = box.querySelector("output");
    box.hidden = false;
    input.addEventListener("input", function () {
      var words = input.value.toLowerCase().split(/\s+/), shown = 0;
      rows.forEach(function (row) {
        var text = row.textContent.toLowerCase();
        row.hidden = !words.every(function (word) { return text.indexOf(word) >= 0; });
        shown += row.hidden ? 0 : 1;
      });
      told.textContent = shown + " of " + rows.length;
    });
  });
})();
