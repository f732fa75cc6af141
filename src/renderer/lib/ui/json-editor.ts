import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { json } from '@codemirror/lang-json'
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language'
import { linter, lintKeymap, type Diagnostic } from '@codemirror/lint'
import { Compartment, EditorState } from '@codemirror/state'
import { drawSelection, EditorView, keymap, lineNumbers, placeholder } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { checkJson } from '../json/check.ts'

export interface JsonEditorOptions {
  readonly label: string
  /** Said to screen readers beside the label. */
  description(): string
  readonly text: string
  readonly minLines: number
  onChange(text: string): void
}

export interface JsonEditorHandle {
  setText(text: string): void
  setInvalid(isInvalid: boolean): void
  destroy(): void
}

const COLOURS = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--text)', fontWeight: '500' },
  { tag: tags.string, color: 'var(--fulfilled)' },
  { tag: tags.number, color: 'var(--open)' },
  { tag: [tags.bool, tags.null], color: 'var(--claimed)' },
  { tag: [tags.punctuation, tags.separator], color: 'var(--text-muted)' },
  { tag: tags.invalid, color: 'var(--dead)' }
])

function theme(minLines: number) {
  return EditorView.theme({
    '&': { color: 'var(--text)', fontSize: 'var(--size-small)' },
    '&.cm-focused': { outline: 'none' },
    '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '18px', minHeight: `${minLines * 18 + 12}px`, maxHeight: '60vh' },
    '.cm-content': { padding: '6px 0', caretColor: 'var(--text)' },
    '.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--text-faint)', border: 'none' },
    '.cm-cursor': { borderLeftColor: 'var(--text)' },
    '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
      backgroundColor: 'color-mix(in srgb, var(--accent) 28%, transparent)'
    },
    '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--accent-soft)', outline: '1px solid var(--accent)' },
    '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--dead)', textUnderlineOffset: '3px' },
    '.cm-tooltip': { backgroundColor: 'var(--surface)', color: 'var(--text)', border: '1px solid var(--line-strong)' },
    '.cm-diagnostic-error': { borderLeftColor: 'var(--dead)' },
    '.cm-panels': { backgroundColor: 'var(--sunken)', color: 'var(--text)' },
    '.cm-placeholder': { color: 'var(--text-faint)' }
  })
}

/** Marks the place where the text stops being JSON. */
function lint(view: EditorView): Diagnostic[] {
  const text = view.state.doc.toString()
  const problem = text.trim() === '' ? null : checkJson(text)
  if (problem === null) return []
  const from = Math.min(problem.at, Math.max(0, text.length - 1))
  return [{ from, to: Math.min(from + 1, text.length), severity: 'error', message: problem.message }]
}

/** Typing over a selection, done here: browsers put what they take for its style into attributes, which the page's policy blocks. */
const typeOver = EditorView.domEventHandlers({
  beforeinput: (event, view) => {
    const { data, inputType, isComposing } = event
    if (inputType !== 'insertText' || data === null || isComposing || view.state.selection.main.empty) return false
    view.dispatch(view.state.replaceSelection(data), { userEvent: 'input.type', scrollIntoView: true })
    return true
  }
})

/** Makes an editor in a shadow tree of `host`. */
export function createJsonEditor(host: HTMLElement, options: JsonEditorOptions): JsonEditorHandle {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' })
  const attributes = new Compartment()
  const describe = (isInvalid: boolean) =>
    EditorView.contentAttributes.of({
      'aria-label': options.label,
      'aria-description': options.description(),
      'aria-invalid': String(isInvalid),
      // It has the keyboard's focus anyhow; this says so to whoever only reads attributes.
      tabindex: '0'
    })
  const view = new EditorView({
    root,
    parent: root as unknown as Element,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        lineNumbers(),
        history(),
        drawSelection(),
        typeOver,
        indentOnInput(),
        indentUnit.of('  '),
        bracketMatching(),
        json(),
        syntaxHighlighting(COLOURS),
        linter(lint, { delay: 250 }),
        placeholder('{}'),
        EditorView.lineWrapping,
        // Tab goes on to the next field, as it does everywhere.
        keymap.of([...defaultKeymap, ...historyKeymap, ...lintKeymap]),
        theme(options.minLines),
        attributes.of(describe(false)),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) options.onChange(update.state.doc.toString())
        })
      ]
    })
  })
  return {
    setText: (text) => {
      const { doc } = view.state
      if (doc.toString() !== text) view.dispatch({ changes: { from: 0, to: doc.length, insert: text } })
    },
    setInvalid: (isInvalid) => view.dispatch({ effects: attributes.reconfigure(describe(isInvalid)) }),
    destroy: () => view.destroy()
  }
}
