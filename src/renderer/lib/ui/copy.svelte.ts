/** Milliseconds for which a copy is acknowledged. */
const ACKNOWLEDGED_MS = 1_500

/** Copies a text, and knows for a moment that it did. */
export class Copier {
  hasCopied = $state(false)
  hasFailed = $state(false)
  #timer: ReturnType<typeof setTimeout> | undefined

  async copy(text: string): Promise<void> {
    this.hasFailed = !(await write(text))
    this.hasCopied = !this.hasFailed
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.hasCopied = false
      this.hasFailed = false
    }, ACKNOWLEDGED_MS)
  }

  get word(): string {
    if (this.hasFailed) return 'Could not copy'
    return this.hasCopied ? 'Copied' : ''
  }
}

async function write(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    // Over plain HTTP from another machine browsers offer no clipboard but this.
    return copyBySelection(text)
  }
}

function copyBySelection(text: string): boolean {
  const area = document.createElement('textarea')
  const before = document.activeElement
  area.value = text
  area.className = 'visually-hidden'
  // Inside an open dialog everything outside is inert.
  const home = document.querySelector('dialog:modal') ?? document.body
  home.append(area)
  area.select()
  const hasCopied = document.execCommand('copy')
  area.remove()
  if (before instanceof HTMLElement) before.focus()
  return hasCopied
}
