/* The report's only script: draws the figures, sorts and filters the tables. No request is made, nothing is stored. */
"use strict";
(() => {
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  /* ---- charts: the page's ink and grid over Plotly's figures, drawn again when the colour scheme changes ---- */
  const theme = () => {
    const axis = { gridcolor: css("--grid"), linecolor: css("--line"), zerolinecolor: css("--grid"), ticks: "outside", ticklen: 5, tickcolor: "rgba(0,0,0,0)", automargin: true, title: { standoff: 8 } };
    return { layout: {
      font: { family: css("--sans"), size: 12, color: css("--ink") }, xaxis: axis, yaxis: axis,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      hoverlabel: { bgcolor: css("--card"), bordercolor: css("--line"), font: { color: css("--ink") }, align: "left" },
    } };
  };
  const dark = matchMedia("screen and (prefers-color-scheme: dark)");
  const BLUES = [["#0072B2", "#3f97dc"], ["#56B4E9", "#b5e0ff"]]; // readable on dark, and still two; report.css does the same
  const touch = matchMedia("(pointer: coarse)");
  const scripts = [...document.querySelectorAll("script.figure")];
  const draw = () => {
    for (const script of scripts) {
      let text = script.textContent;
      if (dark.matches) for (const [light, onDark] of BLUES) text = text.replaceAll(light, onDark);
      const { data, layout } = JSON.parse(text);
      const chart = document.getElementById(script.dataset.for);
      // Only these buttons: Plotly's own set has one that sends the chart to its makers' servers.
      const buttons = [["zoomIn2d", "zoomOut2d", "resetScale2d", "toImage"]];
      const config = { responsive: true, displaylogo: false, modeBarButtons: buttons, displayModeBar: layout.dragmode === false ? false : "hover" };
      if (touch.matches) layout.dragmode = false; // a finger scrolls the page
      window.Plotly.react(chart, data, { ...layout, template: theme(), uirevision: "keep" }, config).then(() => { chart.dataset.drawn = ""; });
    }
    for (const legend of document.querySelectorAll(".line-switches")) showLines(legend);
  };
  const showLines = (legend) => {
    const chart = document.getElementById(legend.dataset.for);
    const hidden = new Set([...legend.querySelectorAll('[aria-pressed="false"]')].map((b) => b.dataset.line));
    window.Plotly.restyle(chart, { visible: chart.data.map((trace) => !hidden.has(trace.legendgroup)) });
  };
  const start = () => {
    draw();
    dark.addEventListener("change", draw);
    for (const legend of document.querySelectorAll(".line-switches")) {
      legend.addEventListener("click", (event) => {
        const button = event.target.closest("button");
        if (!button) return;
        button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") === "true" ? "false" : "true");
        showLines(legend);
      });
    }
  };
  if (scripts.length) { // Plotly is large: it comes once the rest of the page is there to read
    const library = Object.assign(document.createElement("script"), { src: document.currentScript.dataset.plotly, onload: start });
    library.onerror = () => {
      for (const script of scripts) document.getElementById(script.dataset.for).textContent = "This chart needs assets/plotly.min.js, which belongs to the report's folder.";
    };
    requestAnimationFrame(() => setTimeout(() => document.head.append(library)));
  }

  /* ---- tables ---- */
  const make = (tag, props = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), props);
    element.append(...children);
    return element;
  };
  const number = (value, digits) => value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const cell = {
    link: (v) => { // [text, address, tag, text below]
      const link = make("a", { href: v[1] });
      for (const part of v[0].split(/(?<=[/_.-])/)) link.append(part, make("wbr")); // long names break where people would
      const td = make("td", {}, link);
      if (v[2]) td.append(" ", make("span", { className: "tag", textContent: v[2] }));
      if (v[3]) td.append(make("br"), make("small", { textContent: v[3] }));
      return td;
    },
    score: (v, column) => { // [mean, low, high]
      const score = make("span", { className: "score" }, make("b", { textContent: number(v[0], 1) }));
      if (v[1] !== null) score.append(" ", make("small", { textContent: `${number(v[1], 1)}–${number(v[2], 1)}` }));
      const bar = make("i", { className: `bar ${column.mode}` });
      bar.style.setProperty("--v", v[0]);
      return make("td", {}, make("span", {}, score), (score.append(bar), ""));
    },
    number: (v, column) => make("td", { className: "num", textContent: number(v, column.digits ?? 0) }),
    interval: (v, column) => { // [value, low, high]
      const td = make("td", { className: "num" }, make("b", { textContent: number(v[0], column.digits ?? 1) }));
      if (v[1] !== null) td.append(" ", make("small", { textContent: `${number(v[1], column.digits ?? 1)} to ${number(v[2], column.digits ?? 1)}` }));
      return td;
    },
    size: (v) => make("td", { className: "num", textContent: `${v[1]}×${v[2]}` }), // [pixels, width, height]
    text: (v) => make("td", { textContent: v }),
    status: (v) => make("td", {}, make("span", { className: `status ${v}`, textContent: v === "ok" ? "scored" : v })),
  };
  const key = (value) => (Array.isArray(value) ? value[0] : value);
  const order = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const compare = (a, b) => (typeof a === "number" ? a - b : order.compare(a, b));

  function datatable(host, { columns, rows, facets, sort, then, descending, page: size = 50 }) {
    const state = { sort, descending, page: 0, text: "", facets: {} };
    const filters = make("div", { className: "filters" });
    const search = make("input", { type: "search", placeholder: "name, ladder or path" });
    filters.append(make("label", {}, "Find", search));
    for (const [i, facet] of facets.entries()) {
      const values = [...new Set(rows.map((r) => r.facets[i]))].filter((v) => v !== null).sort((a, b) => order.compare(a, b));
      if (values.length < 2) continue;
      const select = make("select", {}, make("option", { value: "", textContent: "all" }), ...values.map((v) => make("option", { value: v, textContent: v })));
      select.addEventListener("change", () => { state.facets[i] = select.value; state.page = 0; show(); });
      filters.append(make("label", {}, facet, select));
    }
    const head = make("tr");
    columns.forEach((column, i) => {
      const th = make("th", { scope: "col", className: ["number", "interval", "size"].includes(column.kind) ? "num" : "" });
      const button = make("button", { type: "button", textContent: column.label });
      if (column.title) button.title = column.title;
      button.addEventListener("click", () => {
        state.descending = state.sort === i ? !state.descending : Boolean(column.descending);
        state.sort = i; state.page = 0; show();
      });
      th.append(button); head.append(th);
    });
    const body = make("tbody");
    const table = make("table", {}, make("caption", { className: "skip", textContent: host.dataset.caption }), make("thead", {}, head), body);
    const scroll = make("div", { className: "scroll", tabIndex: 0, role: "region" }, table);
    scroll.setAttribute("aria-label", host.dataset.caption);
    const count = make("span"); count.setAttribute("role", "status");
    const back = make("button", { type: "button", textContent: "Previous" });
    const next = make("button", { type: "button", textContent: "Next" });
    back.addEventListener("click", () => { state.page -= 1; show(); });
    next.addEventListener("click", () => { state.page += 1; show(); });
    search.addEventListener("input", () => { state.text = search.value.trim().toLowerCase(); state.page = 0; show(); });

    const texts = rows.map((r) => r.find.toLowerCase());
    function show(all = false) {
      const words = state.text.split(/\s+/).filter(Boolean);
      const kept = rows.filter((r, n) => words.every((w) => texts[n].includes(w)) && facets.every((_, i) => !state.facets[i] || r.facets[i] === state.facets[i]));
      const by = (i, sign, a, b) => {
        const x = key(a.cells[i]), y = key(b.cells[i]);
        if (x === null || y === null) return (x === null) - (y === null); // what is not known stays last either way
        return sign * compare(x, y);
      };
      kept.sort((a, b) => by(state.sort, state.descending ? -1 : 1, a, b) || then.reduce((order, i) => order || by(i, 1, a, b), 0));
      const first = all ? 0 : state.page * size, last = all ? kept.length : Math.min(first + size, kept.length);
      body.replaceChildren(...kept.slice(first, last).map((r) => make("tr", {}, ...columns.map((c, i) =>
        r.cells[i] === null ? make("td", { className: "none", textContent: "–" }) : cell[c.kind](r.cells[i], c)))));
      [...head.children].forEach((th, i) => i === state.sort ? th.setAttribute("aria-sort", state.descending ? "descending" : "ascending") : th.removeAttribute("aria-sort"));
      count.textContent = kept.length === 0 ? "Nothing matches these filters." :
        (kept.length > last - first ? `${number(first + 1, 0)} to ${number(last, 0)} of ` : "") + `${number(kept.length, 0)} ${kept.length === 1 ? "row" : "rows"}` + (kept.length < rows.length ? `, ${number(rows.length, 0)} without filters` : "");
      back.hidden = next.hidden = kept.length <= size;
      back.disabled = first === 0; next.disabled = last >= kept.length;
    }
    host.replaceChildren(filters, scroll, make("div", { className: "pager" }, count, back, next));
    if (rows.length < 6) filters.hidden = true;
    show();
    addEventListener("beforeprint", () => show(true));
    addEventListener("afterprint", () => show());
  }
  for (const script of document.querySelectorAll("script.rows")) datatable(document.getElementById(script.dataset.for), JSON.parse(script.textContent));

  /* ---- worst frames: one picture at a time, switched in place so that the eye sees the difference ---- */
  const dialog = make("dialog");
  const open = (article, index) => {
    const figures = [...article.querySelectorAll("figure")];
    const image = make("img", { alt: "" });
    const buttons = figures.map((figure, i) => make("button", { type: "button", textContent: figure.textContent.trim(), onclick: () => show(i) }));
    const show = (i) => {
      index = (i + figures.length) % figures.length;
      const from = figures[index].querySelector("img");
      image.src = from.src; image.alt = from.alt;
      buttons.forEach((button, n) => button.setAttribute("aria-pressed", String(n === index)));
    };
    const close = make("button", { type: "button", textContent: "Close", onclick: () => dialog.close() });
    dialog.onkeydown = (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) { event.preventDefault(); show(index + step); }
    };
    image.onclick = () => show(index + 1);
    dialog.replaceChildren(make("div", { className: "buttons" }, ...buttons, make("span", { textContent: `${article.getAttribute("aria-label")} · ← → switch` }), close), image);
    dialog.setAttribute("aria-label", article.getAttribute("aria-label"));
    figures.forEach((figure) => { new Image().src = figure.querySelector("img").src; }); // at hand when switched to
    show(index);
    dialog.showModal();
  };
  document.body.append(dialog);
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".pictures a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const article = link.closest(".moment");
    open(article, [...article.querySelectorAll(".pictures a")].indexOf(link));
  });

  addEventListener("beforeprint", () => {
    document.querySelectorAll("details").forEach((d) => { d.open = true; });
    document.querySelectorAll("img").forEach((i) => { i.loading = "eager"; });
  });
})();
