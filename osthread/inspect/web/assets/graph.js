// The waits-for graph as SVG: one drawing for each set of parties that are
// connected. A deadlock's cycle is a ring at the top; the parties that wait for
// others are in rows below them, so that waits lead upward. Without a cycle the
// parties that wait for none are at the top.

const space = "http://www.w3.org/2000/svg"
const high = 30 // of a box
const rowGap = 74
const ringGap = 78
const gap = 18 // between two boxes
const widest = 190

function shape(tag, attributes, className) {
  const e = document.createElementNS(space, tag)
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value)
  if (className) e.setAttribute("class", className)
  return e
}

const clip = (s, n) => [...s].length > n ? [...s].slice(0, n - 1).join("") + "…" : s

const estimate = (s, perLetter) => [...s].length * perLetter

// components returns the connected parts of the graph, those with a cycle first.
function components(graph) {
  const parent = new Map(graph.nodes.map(n => [n.id, n.id]))
  const find = id => { while (parent.get(id) !== id) id = parent.get(id); return id }
  for (const e of graph.edges) parent.set(find(e.from), find(e.to))
  const parts = new Map()
  for (const n of graph.nodes) {
    const root = find(n.id)
    if (!parts.has(root)) parts.set(root, { nodes: [], edges: [], cycles: [] })
    parts.get(root).nodes.push({ ...n })
  }
  for (const e of graph.edges) parts.get(find(e.from)).edges.push(e)
  for (const c of graph.cycles ?? []) parts.get(find(c[0])).cycles.push(c)
  return [...parts.values()].sort((a, b) => b.cycles.length - a.cycles.length || b.nodes.length - a.nodes.length)
}

// ranks sets the row of each node that is not in a ring: below all that it waits
// for. A node that is met again, in a cycle that is no deadlock, keeps its row.
function ranks(part, ring) {
  const rank = new Map(ring.map(id => [id, 0]))
  const waitsFor = new Map(part.nodes.map(n => [n.id, []]))
  for (const e of part.edges) waitsFor.get(e.from).push(e.to)
  const visit = id => {
    if (rank.has(id)) return rank.get(id)
    rank.set(id, 0)
    const below = Math.max(-1, ...waitsFor.get(id).map(visit)) + 1
    rank.set(id, below)
    return below
  }
  part.nodes.forEach(n => visit(n.id))
  return rank
}

// place sets the middle of each node. It returns the height.
function place(part, width) {
  const at = new Map(part.nodes.map(n => [n.id, n]))
  part.nodes.forEach(measure)
  const ring = part.cycles.flat()
  let top = 12
  for (const c of part.cycles) top = placeRing([...new Set(c)].map(id => at.get(id)), width, top)
  const rank = ranks(part, ring)
  const rows = []
  for (const n of part.nodes) {
    if (ring.includes(n.id)) continue
    (rows[rank.get(n.id)] ??= []).push(n)
  }
  let first = !ring.length
  for (const row of rows) {
    if (!row) continue
    if (!first) top += rowGap - high
    first = false
    for (const n of row) n.under = under(n, part, at, width)
    top = placeRow(row.sort((a, b) => a.under - b.under), width, top)
  }
  return top + 12
}

// under returns the middle of those above that a node waits for.
function under(node, part, at, width) {
  const above = part.edges.filter(e => e.from === node.id).map(e => at.get(e.to).x).filter(x => x !== undefined)
  return above.length ? above.reduce((sum, x) => sum + x, 0) / above.length : width / 2
}

// natural returns the width of a part without a cycle.
function natural(part) {
  part.nodes.forEach(measure)
  const rows = []
  for (const [id, rank] of ranks(part, [])) rows[rank] = (rows[rank] ?? -gap) + gap + part.nodes.find(n => n.id === id).w
  return Math.max(170, ...rows.filter(w => w).map(w => w + 24))
}

function measure(n) {
  n.label = clip(n.name, 22)
  n.w = Math.min(widest, Math.max(64, estimate(n.label, 7.6) + 26))
}

// placeRow puts nodes side by side, in as many lines as they need, each as near
// to what it is under as the others permit.
function placeRow(nodes, width, top) {
  while (nodes.length) {
    let n = 0, used = -gap
    while (n < nodes.length && (n === 0 || used + gap + nodes[n].w <= width - 16)) used += gap + nodes[n++].w
    const line = nodes.slice(0, n)
    let right = -Infinity
    for (const node of line) {
      node.x = Math.max(node.under, right + gap + node.w / 2)
      node.y = top + high / 2
      right = node.x + node.w / 2
    }
    const left = line[0].x - line[0].w / 2
    const ideal = line.reduce((sum, node) => sum + node.under - node.x, 0) / n
    const shift = right - left > width - 16 ? NaN : Math.min(Math.max(ideal, 8 - left), width - 8 - right)
    if (Number.isNaN(shift)) pack(line, (width - used) / 2)
    else line.forEach(node => { node.x += shift })
    nodes = nodes.slice(n)
    top += high + (nodes.length ? 16 : 0)
  }
  return top
}

// pack puts the nodes of a line that has no room to spare beside each other.
function pack(line, x) {
  for (const node of line) {
    node.x = x + node.w / 2
    x += node.w + gap
  }
}

// placeRing puts the nodes of a cycle clockwise. It returns where the ring ends.
function placeRing(nodes, width, top) {
  if (nodes.length === 1) return placeAt(nodes[0], width / 2, top + 60)
  if (nodes.length > 2) return placeLadder(nodes, width, top + 40)
  const [a, b] = nodes
  if (width < 560) { // one above the other, with the objects at their sides
    placeAt(a, width / 2, top + high / 2)
    return placeAt(b, width / 2, top + high / 2 + 144)
  }
  const half = Math.min(240, (width - Math.max(a.w, b.w)) / 2 - 12)
  placeAt(a, width / 2 - half, top + 62)
  return placeAt(b, width / 2 + half, top + 62) + 47
}

function placeAt(node, x, y) {
  Object.assign(node, { x, y })
  return y + high / 2
}

// placeLadder puts a longer cycle in two columns: down on the right, and up on
// the left. So there is room for an object between any two nodes.
function placeLadder(nodes, width, top) {
  const right = nodes.slice(0, Math.ceil(nodes.length / 2))
  const left = nodes.slice(right.length).reverse()
  const most = Math.max(...nodes.map(n => n.w), 140)
  const half = Math.min(210, width / 2 - most / 2 - 4)
  const bottom = top + (right.length - 1) * ringGap
  right.forEach((n, i) => placeAt(n, width / 2 + half, top + i * ringGap))
  const step = left.length > 1 ? (bottom - top) / (left.length - 1) : 0
  left.forEach((n, i) => placeAt(n, width / 2 - half, left.length > 1 ? top + i * step : (top + bottom) / 2))
  return bottom + 40
}

// border returns where the line from a box's middle toward a point leaves it.
function border(box, x, y, margin) {
  const dx = x - box.x, dy = y - box.y
  const half = { w: box.w / 2 + margin, h: high / 2 + margin }
  const scale = Math.min(half.w / Math.max(Math.abs(dx), 1e-6), half.h / Math.max(Math.abs(dy), 1e-6))
  return { x: box.x + dx * scale, y: box.y + dy * scale }
}

// bend returns the control point of an edge's curve: the middle, for a straight
// one. Of two that lead back and forth each bends to its right; so does one
// along the top or the bottom of a ring, and one that would cross a box leads
// around it.
function bend(a, b, part, width) {
  const mx = (a.x + b.x) / 2, my = (a.y + b.y) / 2
  const dx = b.x - a.x, dy = b.y - a.y, length = Math.hypot(dx, dy) || 1
  const mutual = part.edges.some(e => e.from === b.id && e.to === a.id)
  if (mutual || Math.abs(dy) < 1) {
    const by = !mutual ? 50 : length * (Math.abs(dx) < Math.abs(dy) ? 0.9 : 0.2)
    return { x: mx + dy / length * by, y: my - dx / length * by }
  }
  if (!part.nodes.some(n => n !== a && n !== b && between(n, a, b))) return { x: mx, y: my }
  const side = a.x < width / 2 ? 24 : width - 24
  return { x: 2 * side - mx, y: my }
}

// between reports whether the straight line from a to b crosses the box of n.
function between(n, a, b) {
  for (let t = 0.05; t < 1; t += 0.05) {
    const x = a.x + (b.x - a.x) * t, y = a.y + (b.y - a.y) * t
    if (Math.abs(x - n.x) < n.w / 2 + 4 && Math.abs(y - n.y) < high / 2 + 4) return true
  }
  return false
}

function drawEdge(svg, labels, part, at, e, width) {
  const a = at.get(e.from), b = at.get(e.to)
  const control = a === b ? { x: a.x, y: a.y - 90 } : bend(a, b, part, width)
  let from = border(a, control.x, control.y, 0), to = border(b, control.x, control.y, 5)
  if (a === b) {
    from = { x: a.x - 22, y: a.y - high / 2 }
    to = { x: a.x + 22, y: a.y - high / 2 - 5 }
  }
  const curve = a === b
    ? `M${from.x} ${from.y}C${a.x - 60} ${a.y - 78} ${a.x + 60} ${a.y - 78} ${to.x} ${to.y}`
    : `M${from.x.toFixed(1)} ${from.y.toFixed(1)}Q${control.x.toFixed(1)} ${control.y.toFixed(1)} ${to.x.toFixed(1)} ${to.y.toFixed(1)}`
  const wire = shape("path", { d: curve, "marker-end": `url(#arrow${e.dead ? "-dead" : ""})` },
    "wire" + (e.dead ? " dead" : "") + (e.ends ? " ends" : ""))
  wire.dataset.from = a.name
  wire.dataset.to = b.name
  svg.append(wire)
  if (!e.object || part.labelled.has(e.object + e.to)) return // one label for the waiters of one holder
  if (!e.dead) part.labelled.add(e.object + e.to)
  label(labels, e, (from.x + 2 * control.x + to.x) / 4, (from.y + 2 * control.y + to.y) / 4, width)
}

function label(labels, e, x, y, width) {
  const name = clip(e.object, width < 560 ? 17 : 26)
  const w = estimate(name, 7.4) + 10
  x = Math.min(Math.max(x, w / 2 + 2), width - w / 2 - 2)
  labels.append(shape("rect", { x: x - w / 2, y: y - 9, width: w, height: 18, rx: 4, "stroke-width": 0 }, "plate"))
  const t = shape("text", { x, y }, "object" + (e.dead ? " dead" : ""))
  t.textContent = name
  const full = shape("title", {})
  full.textContent = e.object
  t.append(full)
  labels.append(t)
}

function drawNode(svg, n) {
  const g = shape("g", {}, n.state || "several")
  g.dataset.name = n.name
  g.append(shape("rect", { x: n.x - n.w / 2, y: n.y - high / 2, width: n.w, height: high, rx: 8 }))
  const t = shape("text", { x: n.x, y: n.y })
  t.textContent = n.label
  const full = shape("title", {})
  full.textContent = n.name + (n.state ? ", " + n.state : "")
  t.append(full)
  g.append(t)
  svg.append(g)
}

function arrow(id, className) {
  const m = shape("marker", { id, viewBox: "0 0 10 10", refX: 8, refY: 5, markerWidth: 7, markerHeight: 7, orient: "auto-start-reverse", markerUnits: "userSpaceOnUse" }, className)
  m.setAttribute("markerWidth", 11)
  m.setAttribute("markerHeight", 11)
  m.append(shape("path", { d: "M0 0L10 5L0 10z" }))
  return m
}

function drawPart(part, width) {
  part.labelled = new Set()
  const height = place(part, width)
  const svg = shape("svg", { viewBox: `0 0 ${width} ${Math.ceil(height)}`, width, height: Math.ceil(height), role: "img" })
  const names = part.nodes.map(n => n.name).slice(0, 8).join(", ")
  svg.setAttribute("aria-label", (part.cycles.length ? "Deadlock of " : "Waits of ") + names)
  const defs = shape("defs", {})
  defs.append(arrow("arrow", ""), arrow("arrow-dead", "dead"))
  const labels = shape("g", {})
  svg.append(defs)
  const at = new Map(part.nodes.map(n => [n.id, n]))
  for (const e of part.edges) drawEdge(svg, labels, part, at, e, width)
  for (const n of part.nodes) drawNode(svg, n)
  svg.append(labels)
  return svg
}

let drawn = ""

// draw draws the graph into an element, unless it is as it was.
export function draw(into, graph) {
  const style = getComputedStyle(into)
  const whole = into.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight)
  const state = JSON.stringify(graph) + whole
  if (state === drawn) return
  drawn = state
  const parts = components(graph)
  const children = parts.map(p => drawPart(p, Math.min(whole, p.cycles.length ? 680 : natural(p))))
  if (!parts.length || graph.omitted) {
    const p = document.createElement("p")
    p.textContent = parts.length ? `${graph.omitted} more waiters are not drawn.` : "No party waits for one that is known."
    children.push(p)
  }
  into.replaceChildren(...children)
}
