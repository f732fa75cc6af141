/** A square of dark and light modules. */
interface Modules {
  readonly size: number
  get(x: number, y: number): boolean
}

/** Light modules that have to be around a code. */
export const QUIET_ZONE = 4

/** The dark modules as the outline of an SVG path, in units of a module: one rectangle for each run of them in a row. */
export function qrPath(code: Modules): string {
  let path = ''
  for (let y = 0; y < code.size; y++) {
    for (let x = 0; x < code.size; x++) {
      if (!code.get(x, y)) continue
      const start = x
      while (x < code.size && code.get(x, y)) x++
      path += `M${start} ${y}h${x - start}v1h${start - x}z`
    }
  }
  return path
}
