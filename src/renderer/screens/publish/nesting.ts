/** Levels that are shown on lines of their own. Indentation makes text grow with the square of its depth. */
const MAX_LEVELS = 64

/** Whether JSON text can be shown with a line for each member; what nests absurdly deep is left as it is. */
export function isShallow(json: string): boolean {
  let level = 0
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
    if (token === '{' || token === '[') level++
    else if (token === '}' || token === ']') level--
    if (level > MAX_LEVELS) return false
  }
  return true
}
