// The page: it shows each view that the server sends, and asks for another when
// the query changes. While it is hidden or paused it has no stream.

import { attribute, byId, count, duration, element, list, size, text } from "./dom.js"
import { draw } from "./graph.js"

const query = { q: "", state: "", sort: "state", desc: "", page: 1 }
let paused = false
let source = null // the stream, if there is one
let again = 0 // the timer of another attempt
let before = null // the view before, for rates
let shown = null

function address() {
  const used = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) if (value) used.set(key, value)
  return "stream?" + used
}

// connect makes the stream be the one of the query, or none.
function connect() {
  clearTimeout(again)
  source?.close()
  source = null
  if (paused || document.hidden) return live("paused", "paused")
  const s = source = new EventSource(address())
  s.onmessage = e => { if (s === source) show(JSON.parse(e.data)) }
  s.onerror = () => {
    if (s !== source) return
    live("lost", "disconnected")
    if (s.readyState === EventSource.CLOSED) again = setTimeout(connect, 5000) // refused
  }
}

function live(state, words) {
  attribute(byId("live"), "data-state", state)
  text(byId("live-text"), words)
}

function show(v) {
  before = shown
  shown = v
  query.page = v.page
  live("live", new Date(v.taken).toLocaleTimeString("en-GB"))
  text(byId("process"), String(v.process))
  document.title = v.deadlocks.length ? "Deadlock: threads" : "Threads"
  byId("unwatched").hidden = v.watched
  showTiles(v)
  showDeadlocks(v)
  draw(byId("graph"), v.graph)
  byId("legend").hidden = !v.graph.nodes.length
  showThreads(v)
  showContention(v)
  showGauges("pools", v.pools, v.more_pools, "No pool or worker has a thread.")
  showGauges("queues", v.queues, v.more_queues, "No queue is waited for" + (v.watched ? " or has a name." : "."))
  showWaits(v)
}

function showTiles(v) {
  const dead = v.deadlocks.length + (v.more_deadlocks ?? 0)
  const tiles = [[v.threads, "threads"], [v.waiting, "waiting"], [v.goroutines, "goroutines"], [dead, dead === 1 ? "deadlock" : "deadlocks"]]
  list(byId("tiles"), tiles, () => {
    const li = element("li")
    li.append(element("b"), element("span"))
    return li
  }, (li, [n, what], i) => {
    text(li.children[0], count(n))
    text(li.children[1], what)
    attribute(li, "class", i === 3 && n > 0 ? "bad" : "")
  })
}

const several = (names, last) => names.length < 2 ? names.join("") : names.slice(0, -1).join(", ") + " " + last + " " + names.at(-1)

function showDeadlocks(v) {
  const section = byId("deadlocks")
  if (section.hidden !== (v.deadlocks.length === 0)) section.hidden = v.deadlocks.length === 0
  list(section, v.deadlocks, () => {
    const d = element("div")
    d.append(element("h2"), element("ol"), element("p"))
    return d
  }, (d, dead) => {
    const first = dead.steps[0]
    text(d.children[0], dead.size > 1 ? `Deadlock: ${dead.size} parties wait for each other`
      : first.ended ? "Deadlock: a thread has ended and holds what others wait for" : "Deadlock: a thread waits for itself")
    list(d.children[1], dead.steps, () => {
      const li = element("li")
      li.append(element("b"), element("span"), element("b"), element("span"))
      return li
    }, (li, s) => {
      text(li.children[0], s.name)
      text(li.children[1], s.waits ? ` waits for ${s.waits}` + (s.by?.length ? ", held by " : "") : " has ended")
      text(li.children[2], s.by ? several(s.by, "and") : "")
      text(li.children[3], s.since_s ? `, for ${duration(s.since_s)}` : "")
    })
    const rest = []
    if (dead.more) rest.push(`${dead.more} more parties.`)
    if (dead.behind?.length) rest.push(`Stuck behind: ${several(dead.behind, "and")}.`)
    if (dead.unless) rest.push(`Unless ${dead.unless}.`)
    text(d.children[2], rest.join(" "))
    d.children[2].hidden = rest.length === 0
  })
}

const columns = [
  ["Name", "name text"], ["Ids", "ids"], ["Kind", ""], ["State", ""], ["CPU", "number"], ["C stack", "number"],
  ["Waits for", "object text wide"], ["Held by", "text"], ["Since", "number"], ["Holds", "holds text wide"],
]

function tableRow(cells) {
  const tr = element("tr")
  for (const [label, className] of cells) {
    const td = element("td", className)
    td.dataset.label = label
    tr.append(td)
  }
  return tr
}

function makeThread() {
  const tr = tableRow(columns)
  tr.children[3].append(element("span"))
  return tr
}

function fillThread(tr, r) {
  const td = tr.children
  attribute(tr, "class", r.state === "deadlocked" ? "deadlocked" : "")
  text(td[0], r.name)
  const ids = []
  if (r.native) ids.push(r.native)
  if (r.goroutine) ids.push("g " + r.goroutine)
  text(td[1], ids.join(", "))
  text(td[2], r.kind + (r.daemon ? ", daemon" : ""))
  attribute(td[3].firstChild, "class", "tag " + r.state)
  text(td[3].firstChild, r.state)
  text(td[4], r.cpu === undefined ? "" : r.cpu.toFixed(1) + " %")
  attribute(td[4], "title", r.cpu_s ? duration(r.cpu_s) + " in all" : "")
  text(td[5], r.stack_size ? `${size(r.stack_use ?? 0)} of ${size(r.stack_size)}` : "")
  text(td[6], (r.waits ?? "") + (r.ends ? " (with a limit)" : ""))
  text(td[7], r.by ? several(r.by, "and") : "")
  text(td[8], r.waits ? duration(r.since_s) : "")
  text(td[9], (r.holds ?? []).join(", "))
}

function showThreads(v) {
  const table = byId("threads")
  text(byId("matched"), v.matched === v.total ? "" : `${count(v.matched)} of ${count(v.total)}`)
  list(table.tBodies[0], v.rows, makeThread, fillThread)
  text(byId("pages"), `page ${count(v.page)} of ${count(v.pages)}`)
  byId("previous").disabled = v.page <= 1
  byId("next").disabled = v.page >= v.pages
  for (const b of table.tHead.querySelectorAll("button")) {
    attribute(b.closest("th"), "aria-sort", b.dataset.sort !== query.sort ? null : query.desc ? "descending" : "ascending")
  }
}

function showContention(v) {
  text(byId("more-objects"), v.more_objects ? `${count(v.more_objects)} more` : "")
  const cells = [["Object", "object text wide"], ["Waiters", "number"], ["Longest", "number"], ["Held by", "text"], ["Waits ended", "number"], ["Their time", "number"]]
  const body = byId("contention").tBodies[0]
  list(body, v.objects.length ? v.objects : [null], () => tableRow(cells), (tr, o) => {
    const values = o ? [o.object, count(o.waiters), o.waiters ? duration(o.longest_s) : "", several(o.by ?? [], "and"),
      o.count ? count(o.count) : "", o.count ? duration(o.time_s) : ""] : ["Nothing is waited for.", "", "", "", "", ""]
    values.forEach((value, i) => text(tr.children[i], value))
  })
}

function showGauges(id, gauges, more, none) {
  text(byId("more-" + id), more ? `${count(more)} more` : "")
  list(byId(id), gauges.length ? gauges : [null], () => {
    const li = element("li")
    const meter = element("meter")
    meter.min = 0
    li.append(element("span", "text"), element("b"), meter, element("small"))
    return li
  }, (li, g) => {
    const [name, value, meter, note] = li.children
    text(name, g ? g.name : none)
    text(value, g ? count(g.value) + (g.max ? " of " + count(g.max) : "") : "")
    meter.hidden = !g?.max
    if (g?.max) {
      meter.max = g.max
      meter.high = g.max * 0.9
      meter.value = g.value
    }
    text(note, g?.note ?? "")
    note.hidden = !g?.note
  })
}

function showWaits(v) {
  const seconds = before ? (new Date(v.taken) - new Date(before.taken)) / 1000 : 0
  const old = new Map((before?.waits ?? []).map(w => [w.kind, w.count]))
  const cells = [["For", ""], ["Number", "number"], ["A second", "number"], ["Time", "number"]]
  list(byId("waits").tBodies[0], v.waits, () => tableRow(cells), (tr, w) => {
    const rate = seconds > 0 ? Math.max(0, w.count - (old.get(w.kind) ?? 0)) / seconds : null
    const values = [w.kind, count(w.count), rate === null ? "" : count(rate), duration(w.time_s)]
    values.forEach((value, i) => text(tr.children[i], value))
  })
}

// ask changes the query. Typing is waited out, so that each letter is no stream.
let typing = 0
function ask(change, wait = 0) {
  Object.assign(query, { page: 1 }, change)
  clearTimeout(typing)
  typing = setTimeout(connect, wait)
}

byId("q").oninput = e => ask({ q: e.target.value }, 250)
byId("state").onchange = e => ask({ state: e.target.value })
byId("sort").onchange = e => ask({ sort: e.target.value, desc: "" })
byId("previous").onclick = () => ask({ page: Math.max(1, query.page - 1) })
byId("next").onclick = () => ask({ page: query.page + 1 })
byId("controls").onsubmit = e => e.preventDefault()
for (const b of byId("threads").tHead.querySelectorAll("button")) {
  b.onclick = () => {
    const same = query.sort === b.dataset.sort
    byId("sort").value = b.dataset.sort
    ask({ sort: b.dataset.sort, desc: same && !query.desc ? "1" : "" })
  }
}
byId("pause").onclick = e => {
  paused = !paused
  attribute(e.target, "aria-pressed", String(paused))
  text(e.target, paused ? "Resume" : "Pause")
  connect()
}
document.onvisibilitychange = connect
onresize = () => { if (shown) draw(byId("graph"), shown.graph) }
connect()
