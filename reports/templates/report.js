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
  // Readable on dark, and still told apart; report.css does the same with the short lines in tables.
  const ON_DARK = [
    ["#0072B2", "#3f97dc"], ["#56B4E9", "#b5e0ff"], ["#606060", "#c4c4c4"],
    ["rgba(0,114,178,", "rgba(63,151,220,"], ["rgba(86,180,233,", "rgba(181,224,255,"],
  ];
  const touch = matchMedia("(pointer: coarse)");
  const scripts = [...document.querySelectorAll("script.figure")];
  const draw = () => {
    for (const script of scripts) {
      let text = script.textContent;
      if (dark.matches) for (const [light, onDark] of ON_DARK) text = text.replaceAll(light, onDark);
      const { data, layout } = JSON.parse(text);
      const chart = document.getElementById(script.dataset.for);
      // Only these buttons: Plotly's own set has one that sends the chart to its makers' servers.
      const buttons = [["zoomIn2d", "zoomOut2d", "resetScale2d", "toImage"]];
      const config = { responsive: true, displaylogo: false, modeBarButtons: buttons, toImageButtonOptions: { format: "svg", filename: script.dataset.for }, displayModeBar: layout.dragmode === false ? false : "hover" };
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
  /* A chart that zooms does so by keyboard too: plus and minus, arrows to move, 0 for all of it. */
  const steer = (chart) => {
    chart.tabIndex = 0;
    chart.setAttribute("role", "application");
    chart.addEventListener("keydown", (event) => {
      const axis = chart._fullLayout.xaxis; // r2l and l2r: between what an axis shows, dates too, and plain numbers
      const change = { "+": [0.25, -0.25], "=": [0.25, -0.25], "-": [-0.5, 0.5], ArrowLeft: [-0.25, -0.25], ArrowRight: [0.25, 0.25] }[event.key];
      if (event.ctrlKey || event.metaKey || event.altKey || (!change && event.key !== "0")) return;
      event.preventDefault();
      const [low, high] = axis.range.map(axis.r2l);
      window.Plotly.relayout(chart, change ? { "xaxis.range": change.map((part, i) => axis.l2r([low, high][i] + part * (high - low))) } : { "xaxis.autorange": true });
    });
  };
  const start = () => {
    draw();
    document.querySelectorAll(".chart.zooms").forEach(steer);
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
      for (const script of scripts) document.getElementById(script.dataset.for).textContent = "This chart needs assets/plotly-cartesian.min.js, which belongs to the report's folder.";
    };
    const bring = () => { if (!library.isConnected) document.head.append(library); };
    requestAnimationFrame(() => setTimeout(bring));
    setTimeout(bring, 500); // a page that is nowhere shown, as in a script that archives it, has no frames
  }

  /* ---- tables ---- */
  const make = (tag, props = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), props);
    element.append(...children);
    return element;
  };
  const number = (value, digits, signDisplay = "auto") => value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay }).replace("-", "−");
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
    rate: (v) => make("td", { className: "num", textContent: number(v, v < 100 ? 1 : 0) }), // as elsewhere on the pages
    interval: (v) => { // [value, low, high]: differences, which have a sign
      const td = make("td", { className: "num" }, make(v[1] === null ? "span" : "b", { textContent: number(v[0], 1, "exceptZero") }));
      if (v[1] !== null) td.append(" ", make("small", { textContent: `${number(v[1], 1, "exceptZero")} to ${number(v[2], 1, "exceptZero")}` }));
      return td;
    },
    size: (v) => make("td", { className: "num", textContent: `${v[1]}×${v[2]}` }), // [pixels, width, height]
    text: (v) => make("td", { textContent: v }),
    parts: (v) => make("td", {}, ...v.slice(1).flatMap((part) => [make("span", { className: "pair", textContent: part }), " "])), // [all, part, ...]
    span: (v) => make("td", { textContent: v[1] }), // [start, from and to]
    status: (v) => make("td", {}, make("span", { className: `status ${v}`, textContent: v === "ok" ? "scored" : v })),
  };
  const key = (value) => (Array.isArray(value) ? value[0] : value);
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const by = (sign) => (a, b) => {
    if (a === null || b === null) return (a === null) - (b === null); // what is not known stays last either way
    return sign * (typeof a === "number" ? a - b : collator.compare(a, b));
  };

  function datatable(host, { columns, rows, facets, sort, then, descending, page: size = 50, print_all: all = true }) {
    window.DataTable.type("known", "order", { asc: by(1), desc: by(-1) });
    const filters = make("div", { className: "filters" });
    const search = make("input", { type: "search", placeholder: "name, ladder or path" });
    filters.append(make("label", {}, "Find", search));
    const chosen = {};
    for (const [i, facet] of facets.entries()) {
      const values = [...new Set(rows.map((r) => r.facets[i]))].filter((v) => v !== null).sort(collator.compare);
      if (values.length < 2) continue;
      const select = make("select", {}, make("option", { value: "", textContent: "all" }), ...values.map((v) => make("option", { value: v, textContent: v })));
      select.addEventListener("change", () => { chosen[i] = select.value; table.draw(); });
      filters.append(make("label", {}, facet, select));
    }
    filters.hidden = rows.length < 6;
    const head = make("tr", {}, ...columns.map((c) => make("th", { scope: "col", textContent: c.label, title: c.title ?? "" })));
    const place = make("table", {}, make("caption", { className: "skip", textContent: host.dataset.caption }), make("thead", {}, head));
    host.replaceChildren(filters, place);
    const directions = [["asc", "desc"], ["desc", "asc"]];
    const table = new window.DataTable(place, {
      data: rows, pageLength: size, autoWidth: false, orderClasses: false, order: [[sort, descending ? "desc" : "asc"]],
      columns: columns.map((column, i) => ({
        type: "known", className: column.kind === "interval" ? "num interval" : ["number", "rate", "size"].includes(column.kind) ? "num" : column.whole ? "pair" : "",
        // Its own search reads cells as HTML, and these are other people's names: ours, below, reads text.
        data: null, searchable: false, orderData: [i, ...then.filter((n) => n !== i)], orderSequence: directions[Number(Boolean(column.descending))],
        render: (_, kind, row) => (kind === "display" ? "" : key(row.cells[i])),
        createdCell: (td, _, row) => {
          const value = row.cells[i];
          if (value === null) { td.classList.add("none"); td.textContent = "–"; } else td.replaceChildren(...cell[column.kind](value, column).childNodes);
        },
      })),
      // Few rows are seen to be all there: no count, and nothing to turn over.
      layout: { topStart: null, topEnd: null, bottomStart: filters.hidden ? null : "info", bottomEnd: rows.length > size ? { paging: { type: "simple" } } : null },
      infoCallback: (_, start, end, max, total) => {
        if (!total) return "Nothing matches these filters";
        const shown = end - start + 1 < total ? `${number(start, 0)} to ${number(end, 0)} of ` : "";
        return `${shown}${number(total, 0)} ${total === 1 ? "row" : "rows"}${total < max ? `, ${number(max, 0)} without filters` : ""}`;
      },
      language: { zeroRecords: "–", paginate: { previous: "Previous", next: "Next" } },
    });
    const scroll = place.parentElement;
    scroll.classList.add("scroll"); scroll.tabIndex = 0;
    scroll.setAttribute("role", "region"); scroll.setAttribute("aria-label", host.dataset.caption);

    let words = [];
    search.addEventListener("input", () => { words = search.value.toLowerCase().split(/\s+/).filter(Boolean); table.draw(); });
    const texts = new Map(rows.map((r) => [r, r.find.toLowerCase()]));
    table.search.fixed("ours", (_, row) => words.every((w) => texts.get(row).includes(w)) && facets.every((_, i) => !chosen[i] || row.facets[i] === chosen[i]));
    if (all) {
      addEventListener("beforeprint", () => table.page.len(-1).draw());
      addEventListener("afterprint", () => table.page.len(size).draw());
    }
  }
  for (const script of document.querySelectorAll("script.rows")) datatable(document.getElementById(script.dataset.for), JSON.parse(script.textContent));

  /* ---- worst frames: encode and master in one place, so that the eye sees the difference ---- */
  const FLICKER_MS = 700; // well below three changes a second
  const dialog = make("dialog");
  let flicker = null;
  const rest = () => { clearInterval(flicker); flicker = null; };
  dialog.addEventListener("close", rest);
  const open = (article, index) => {
    const figures = [...article.querySelectorAll("figure")];
    const pair = figures.length > 1 && figures[1].dataset.kind === "reference";
    const image = make("img", { alt: "" }), over = make("img", { alt: "", className: "over" });
    const stage = make("div", { className: "stage" }, image, over);
    const slider = make("input", { type: "range", min: 0, max: 100, value: 50, oninput: () => stage.style.setProperty("--at", `${slider.value}%`) });
    const wipe = make("label", { className: "wipe" }, "Encode", slider, "Reference");
    slider.setAttribute("aria-label", "Where the encode ends and the reference begins");
    const put = (place, i) => { const from = figures[i].querySelector("img"); place.src = from.src; place.alt = from.alt; };
    const press = (button) => buttons.forEach((b) => b.setAttribute("aria-pressed", String(b === button)));
    const show = (i) => {
      rest();
      index = (i + figures.length) % figures.length;
      over.hidden = wipe.hidden = true;
      put(image, index); press(buttons[index]);
    };
    const slide = () => {
      rest();
      put(image, 1); put(over, 0);
      over.hidden = wipe.hidden = false;
      slider.oninput(); press(buttons.at(-2)); slider.focus();
    };
    const blink = () => {
      show(0); press(buttons.at(-1));
      flicker = setInterval(() => { index = 1 - index; put(image, index); }, FLICKER_MS);
    };
    const button = (name, action) => make("button", { type: "button", textContent: name, onclick: action });
    const buttons = figures.map((figure, i) => button(figure.textContent.trim(), () => show(i)));
    if (pair) buttons.push(button("Slider", slide), button("Flicker", blink));
    dialog.onkeydown = (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step && event.target !== slider) { event.preventDefault(); show(index + step); }
    };
    stage.onclick = () => { if (over.hidden) show(index + 1); };
    stage.onpointermove = (event) => {
      if (over.hidden || (event.pointerType !== "mouse" && !event.buttons)) return;
      const box = stage.getBoundingClientRect();
      slider.value = 100 * (event.clientX - box.left) / box.width; slider.oninput();
    };
    const words = `${article.getAttribute("aria-label")} · ← → switch`;
    dialog.replaceChildren(make("div", { className: "buttons" }, ...buttons, make("span", { textContent: words }), button("Close", () => dialog.close())), stage, wipe);
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
