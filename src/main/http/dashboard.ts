import { hash } from 'node:crypto'
import type { Overview } from '../bus/reading/queries.ts'

const STYLE = `
:root { color-scheme: light dark; font: 13px/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
body { margin: 0 auto; max-width: 1080px; padding: 16px; }
h1 { font-size: 18px; margin: 0 0 16px; }
h2 { font-size: 13px; margin: 24px 0 8px; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(104px, 1fr)); gap: 8px; margin: 0; }
dl div { border: 1px solid color-mix(in srgb, currentColor 20%, transparent); border-radius: 4px; padding: 8px 12px; }
dt { font-size: 12px; opacity: .75; }
dd { margin: 0; font-size: 24px; line-height: 1.25; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th { font-weight: 600; opacity: .75; }
th, td { border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); padding: 4px 16px 4px 0; text-align: left; vertical-align: top; }
td { max-width: 48ch; min-width: 8ch; overflow-wrap: break-word; }
td.number, th.number { text-align: right; }
code, time, th { white-space: nowrap; }
code { font: 12px ui-monospace, monospace; }
p { margin: 0; opacity: .75; }
`

/** The page has no scripts and loads nothing: its one style sheet is allowed by its digest. */
export const DASHBOARD_CSP = `default-src 'none'; style-src 'sha256-${hash('sha256', STYLE, 'base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

/** A page of HTML. Whatever came from a client is escaped. */
export function dashboardPage({ counts, recent, keys, deadLetters }: Overview): string {
  const tiles = Object.entries(counts).map(([name, count]) => `<div><dt>${name}</dt><dd>${count}</dd></div>`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Intent Bus</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Intent Bus</h1>
<dl>${tiles.join('')}</dl>
<h2>Recent intents</h2>
${table(
  ['Id', 'Namespace', 'Goal', 'Status', '#Attempts', 'Published (UTC)', 'Last error'],
  recent.map((intent) => [
    code(intent.id),
    escape(intent.namespace),
    escape(intent.goal),
    intent.status,
    String(intent.claim_attempts),
    time(intent.created_at),
    escape(intent.last_error ?? '')
  ]),
  'No intents yet. The README shows the curl line that publishes one.'
)}
<h2>Dead letters</h2>
${table(
  ['Id', 'Namespace', 'Goal', '#Attempts', 'Reason', 'Died (UTC)'],
  deadLetters.map((letter) => [
    code(letter.intent_id),
    escape(letter.namespace),
    escape(letter.goal),
    String(letter.attempts),
    escape(letter.reason),
    time(letter.created_at)
  ]),
  'No dead letters.'
)}
<h2>Keys</h2>
${table(
  ['Id', 'Owner', '#Requests', 'Created (UTC)', 'Last used (UTC)'],
  keys.map((key) => [
    code(key.id),
    escape(key.owner),
    String(key.requests),
    time(key.created_at),
    key.last_used_at === null ? 'never' : time(key.last_used_at)
  ]),
  'No generated keys; workers that share the main key need none.'
)}
</body>
</html>
`
}

/** Cells are HTML. A heading that starts with # stands over numbers. */
function table(headings: readonly string[], rows: readonly (readonly string[])[], ifEmpty: string): string {
  if (rows.length === 0) return `<p>${ifEmpty}</p>`
  const classes = headings.map((heading) => (heading.startsWith('#') ? ' class="number"' : ''))
  const head = headings.map((heading, i) => `<th${classes[i]} scope="col">${heading.replace('#', '')}</th>`).join('')
  const body = rows.map((cells) => `<tr>${cells.map((cell, i) => `<td${classes[i]}>${cell}</td>`).join('')}</tr>`)
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`
}

function code(text: string): string {
  return `<code>${escape(text)}</code>`
}

/** `unixSeconds` as UTC, to the second. */
function time(unixSeconds: number): string {
  const iso = new Date(unixSeconds * 1000).toISOString()
  return `<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')}</time>`
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
