// Elements that are made once and changed in place: a page that has been open
// for a day has as many as at its first update. Text from the process gets into
// the page by textContent and setAttribute alone, so it is never markup.

export const byId = id => document.getElementById(id)

export function element(tag, className) {
  const e = document.createElement(tag)
  if (className) e.className = className
  return e
}

// text sets an element's text if it is another one.
export function text(e, value) {
  if (e.firstChild?.nodeType === Node.TEXT_NODE && !e.firstChild.nextSibling) {
    if (e.firstChild.data !== value) e.firstChild.data = value
  } else if (value !== "" || e.firstChild) {
    e.textContent = value
  }
}

// attribute sets or, for null, removes an attribute if it is another one.
export function attribute(e, name, value) {
  if (value === null) e.removeAttribute(name)
  else if (e.getAttribute(name) !== String(value)) e.setAttribute(name, value)
}

// list makes parent have one child for each item: make makes one, fill fills it
// in. Children that are there already are used again.
export function list(parent, items, make, fill) {
  while (parent.children.length > items.length) parent.lastElementChild.remove()
  while (parent.children.length < items.length) parent.append(make())
  items.forEach((item, i) => fill(parent.children[i], item, i))
}

// duration returns seconds for a person.
export function duration(s) {
  if (s === undefined || s === null) return ""
  if (s < 0.001) return Math.round(s * 1e6) + " µs"
  if (s < 1) return Math.round(s * 1000) + " ms"
  if (s < 60) return s.toFixed(1) + " s"
  if (s < 3600) return Math.floor(s / 60) + " min " + Math.floor(s % 60) + " s"
  if (s < 86400) return Math.floor(s / 3600) + " h " + Math.floor(s % 3600 / 60) + " min"
  return Math.floor(s / 86400) + " d " + Math.floor(s % 86400 / 3600) + " h"
}

// count returns a number for a person, and size a number of bytes.
export const count = n => n.toLocaleString("en-US", { maximumFractionDigits: 1 })

export const size = n => n < 1 << 20 ? Math.ceil(n / 1024) + " KiB" : Math.round(n / (1 << 20)) + " MiB"
