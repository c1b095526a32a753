'use strict';
(() => {
  const all = (query, root = document) => [...root.querySelectorAll(query)];
  const say = text => { document.getElementById('said').textContent = text; };
  const pad = (number, digits = 2) => String(number).padStart(digits, '0');

  // A span as people say it: 11h31m, 6m28s.
  const span = millis => {
    const s = Math.floor(Math.abs(millis) / 1000), m = Math.floor(s / 60), h = Math.floor(m / 60), d = Math.floor(h / 24);
    if (d >= 730) return `${Math.floor(d / 365)} years`;
    if (h >= 48) return `${d}d${pad(h % 24)}h`;
    if (h) return `${h}h${pad(m % 60)}m`;
    return m ? `${m}m${pad(s % 60)}s` : `${s}s`;
  };

  // The deadline against the reader's own clock.
  const timers = all('.countdown');
  const tick = () => timers.forEach(timer => {
    const left = Number(timer.dataset.deadline) - Date.now();
    timer.hidden = false;
    timer.classList.toggle('past', left <= 0);
    timer.textContent = left > 0
      ? `By this computer's clock ${span(left)} left.`
      : `By this computer's clock that was ${span(left)} ago: try it; if it is refused, recreate the task.`;
  });
  if (timers.length) { tick(); setInterval(tick, 1000); }

  all('.commands').forEach(box => {
    const button = box.querySelector('.copy'), pre = box.querySelector('pre');
    button.hidden = false;
    button.addEventListener('click', async () => {
      const text = pre.textContent.trim();
      try { await navigator.clipboard.writeText(text); } catch {
        const range = document.createRange();
        range.selectNodeContents(pre);
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        document.execCommand('copy');
      }
      button.textContent = 'Copied';
      say('Commands copied');
      setTimeout(() => { button.textContent = 'Copy'; }, 1500);
    });
  });

  // Tables: sorted by a click on a column, filtered by what is typed.
  all('table').forEach(table => {
    const body = table.tBodies[0], rows = [...body.rows];
    const heads = all('th', table);
    heads.forEach((head, column) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = head.textContent;
      head.replaceChildren(button);
      const key = row => row.cells[column].textContent;
      const numeric = head.classList.contains('n');
      button.addEventListener('click', () => {
        const down = head.getAttribute('aria-sort') === 'ascending' || (numeric && !head.hasAttribute('aria-sort'));
        heads.forEach(other => other.removeAttribute('aria-sort'));
        head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
        const order = (a, b) => {
          const x = key(a), y = key(b);
          if (!x || !y) return x ? -1 : y ? 1 : 0;
          const way = down ? -1 : 1;
          return way * (numeric ? Number(x) - Number(y) : x.localeCompare(y, 'en', { numeric: true }));
        };
        body.append(...rows.toSorted(order));
        say(`Sorted by ${button.textContent}`);
      });
    });
    const label = table.closest('.scroll').previousElementSibling.querySelector('label');
    if (rows.length < 6) return;
    label.hidden = false;
    label.querySelector('input').addEventListener('input', event => {
      const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach(row => {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every(word => text.includes(word));
        shown += !row.hidden;
      });
      say(`${shown} rows`);
    });
  });

  // An incident that is linked to opens.
  const open = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === 'DETAILS') { target.open = true; target.scrollIntoView(); }
  };
  addEventListener('hashchange', open);
  open();
  // On paper everything is open.
  let opened = [];
  addEventListener('beforeprint', () => {
    opened = all('details:not([open])');
    opened.forEach(details => { details.open = true; });
  });
  addEventListener('afterprint', () => opened.forEach(details => { details.open = false; }));

  const svg = document.querySelector('svg.picture');
  if (!svg) return;
  const left = Number(svg.dataset.left), width = Number(svg.dataset.width);
  const knots = svg.dataset.knots.split(' ').map(pair => pair.split(',').map(Number));
  const first = knots[0][0], last = knots[knots.length - 1][0];
  const tools = document.querySelector('.tools'), inspect = document.querySelector('.inspect');
  const bars = all('.bars rect', svg).sort((a, b) => a.dataset.t - b.dataset.t);
  const drawn = { ticks: svg.querySelector('.ticks').innerHTML, spans: svg.querySelector('.spans').innerHTML };
  let linear = false, view = [0, 1];
  tools.hidden = inspect.hidden = false;

  const between = (value, from, to) => {
    let i = knots.findIndex(knot => knot[from] > value);
    i = i < 1 ? (i === 0 ? 1 : knots.length - 1) : i;
    const a = knots[i - 1], b = knots[i];
    return a[to] + (b[to] - a[to]) * (value - a[from]) / (b[from] - a[from]);
  };
  const place = time => linear ? (time - first) / (last - first) : between(time, 0, 1);
  const timeAt = at => linear ? first + at * (last - first) : between(at, 1, 0);
  const xOf = time => left + width * (place(time) - view[0]) / (view[1] - view[0]);

  const arrow = (x1, y1, x2, y2) => {
    if (x2 - x1 > 26) {
      const middle = (x1 + x2) / 2;
      return `M${x1 + 8} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2 - 9} ${y2}`;
    }
    if (Math.abs(y2 - y1) < 1) return '';
    const way = y2 > y1 ? 1 : -1, middle = (y1 + y2) / 2;
    return `M${x1} ${y1 + 8 * way}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2 - 9 * way}`;
  };
  const label = (time, range, before) => {
    const text = new Date(time).toISOString();
    const clock = range < 10000 ? text.slice(11, 23) : text.slice(11, 19);
    return before === text.slice(0, 10) ? clock : `${text.slice(5, 10)} ${clock}`;
  };
  const lay = () => {
    all('[data-u]', svg).forEach(rect => {
      const from = xOf(Number(rect.dataset.t)), to = xOf(Number(rect.dataset.u));
      rect.setAttribute('x', from);
      rect.setAttribute('width', Math.max(rect.parentNode.classList.contains('bars') ? 3 : 0, to - from));
    });
    all('[data-move]', svg).forEach(mark => mark.setAttribute('transform', `translate(${xOf(Number(mark.dataset.t))} 0)`));
    all('[data-points]', svg).forEach(path => {
      const points = path.dataset.points.split(' ').map(pair => pair.split(',').map(Number));
      path.setAttribute('d', points.map(([time, y], i) => i ? `H${xOf(time)}V${y}` : `M${xOf(time)} ${y}`).join(''));
    });
    // Marks of one lane stand beside each other, not on each other.
    const marks = all('.steps > g', svg), xs = [], ys = marks.map(mark => Number(mark.dataset.y));
    marks.forEach((mark, i) => {
      const time = Number(mark.dataset.t);
      xs[i] = xOf(time);
      for (let j = 0; j < i; j += 1) if (ys[j] === ys[i] && Number(marks[j].dataset.t) <= time) xs[i] = Math.max(xs[i], xs[j] + 17);
      mark.setAttribute('transform', `translate(${xs[i]} ${ys[i]})`);
    });
    all('.arrows path', svg).forEach(path => {
      const { from, to } = path.dataset;
      path.setAttribute('d', arrow(xs[from], ys[from], xs[to], ys[to]));
    });
    const asDrawn = !linear && view[0] === 0 && view[1] === 1;
    svg.querySelector('.spans').innerHTML = asDrawn ? drawn.spans : '';
    if (asDrawn) { svg.querySelector('.ticks').innerHTML = drawn.ticks; return; }
    const range = timeAt(view[1]) - timeAt(view[0]);
    let day = '', labels = '';
    for (let i = 0; i <= 9; i += 1) {
      const time = timeAt(view[0] + (view[1] - view[0]) * i / 9);
      const anchor = i === 0 ? 'start' : i === 9 ? 'end' : 'middle';
      labels += `<g transform="translate(${left + width * i / 9} 0)"><path d="M0 3.5V8"/><text y="20" text-anchor="${anchor}">${label(time, range, day)}</text></g>`;
      day = new Date(time).toISOString().slice(0, 10);
    }
    svg.querySelector('.ticks').innerHTML = labels;
  };
  const look = (from, to) => {
    const size = Math.min(1, Math.max(1e-6, to - from));
    const start = Math.min(1 - size, Math.max(0, from));
    view = [start, start + size];
    lay();
  };
  const zoom = (factor, at = 0.5) => {
    const size = view[1] - view[0], centre = view[0] + size * at;
    look(centre - size * factor * at, centre + size * factor * (1 - at));
  };
  const act = {
    in: () => zoom(0.5),
    out: () => zoom(2),
    reset: () => { tools.reset(); filter(); look(0, 1); },
    scale: button => {
      const from = timeAt(view[0]), to = timeAt(view[1]);
      linear = !linear;
      button.setAttribute('aria-pressed', linear);
      look(place(from), place(to));
    },
  };
  tools.addEventListener('click', event => {
    const button = event.target.closest('button');
    if (button) act[button.dataset.act](button);
  });
  tools.addEventListener('submit', event => event.preventDefault());

  // Filters fade what does not match.
  const ranks = ['info', 'notice', 'warning', 'error', 'critical'];
  const filter = () => {
    const want = name => (tools.elements[name] ? tools.elements[name].value : '');
    const severity = Number(want('severity')), names = ['region', 'store', 'rule'].filter(want);
    let shown = 0;
    bars.forEach(bar => {
      const rank = ranks.findIndex(name => bar.classList.contains(name));
      const off = (rank >= 0 && rank < severity) || names.some(name => bar.dataset[name] !== want(name));
      bar.classList.toggle('off', off);
      shown += !off;
    });
    say(`${shown} of ${bars.length} bars match`);
  };
  tools.addEventListener('change', filter);

  // The record of what the pointer or the keyboard is on.
  const plain = inspect.textContent;
  const show = event => {
    const mark = event.target.closest('.bars rect, .steps > g');
    inspect.classList.toggle('record', !!mark);
    inspect.textContent = mark ? mark.querySelector('title').textContent : plain;
  };
  svg.addEventListener('pointerover', show);
  svg.addEventListener('focusin', show);
  svg.addEventListener('pointerleave', show);
  if (bars.length) bars[0].setAttribute('tabindex', '0');
  svg.addEventListener('keydown', event => {
    const at = bars.indexOf(event.target);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (at >= 0 && step) {
      let to = at + step;
      while (bars[to] && bars[to].classList.contains('off')) to += step;
      if (bars[to]) {
        event.target.setAttribute('tabindex', '-1');
        bars[to].setAttribute('tabindex', '0');
        bars[to].focus();
      }
      event.preventDefault();
    } else if (event.key === '+' || event.key === '=') act.in();
    else if (event.key === '-') act.out();
    else if (event.key === '0') act.reset();
  });

  // A stretch that is drawn over with the pointer fills the picture.
  const part = event => {
    const box = svg.getBoundingClientRect(), x = (event.clientX - box.left) * 1200 / box.width;
    return Math.min(1, Math.max(0, (x - left) / width));
  };
  let from = null, shade = null;
  svg.addEventListener('pointerdown', event => {
    if (event.button || event.pointerType === 'touch') return;
    from = part(event);
  });
  svg.addEventListener('pointermove', event => {
    if (from === null) return;
    const to = part(event);
    if (!shade) {
      if (Math.abs(to - from) < 0.01) return;
      shade = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
      shade.setAttribute('fill', 'currentColor');
      shade.setAttribute('opacity', '.12');
      shade.setAttribute('height', svg.viewBox.baseVal.height);
      shade.style.pointerEvents = 'none';
      svg.append(shade);
      svg.setPointerCapture(event.pointerId);
    }
    shade.setAttribute('x', left + width * Math.min(from, to));
    shade.setAttribute('width', width * Math.abs(to - from));
  });
  svg.addEventListener('pointerup', event => {
    if (shade) {
      const to = part(event), size = view[1] - view[0];
      look(view[0] + size * Math.min(from, to), view[0] + size * Math.max(from, to));
      shade.remove();
    }
    from = shade = null;
  });
  svg.addEventListener('wheel', event => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.25 : 0.8, part(event));
  }, { passive: false });
})();
