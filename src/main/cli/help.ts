import { GLOBAL_OPTIONS, isGroup, type Action, type Command, type Group, type Option } from './command.ts'
import { EXIT_MEANINGS } from './exit.ts'
import { padToWidth, textWidth } from './terminal/width.ts'

/** Help texts, all made from the table of commands. */

const MAX_LINE = 100

/** What `intent-bus help` says. */
export function overviewHelp(commands: readonly Command[]): string {
  return [
    'Usage: intent-bus <command> [arguments] [options]',
    section('Commands', pairs(commands.map(({ name, summary }) => [name, summary]))),
    section('Options of every command', optionLines(GLOBAL_OPTIONS)),
    section('Exit codes', pairs(EXIT_MEANINGS.map(([code, meaning]) => [String(code), meaning]))),
    '`intent-bus help <command>` tells more of one.\n'
  ].join('\n\n')
}

/** What `intent-bus help <command>` says; `group`: what the command belongs to. */
export function commandHelp(command: Command, group?: Group): string {
  return isGroup(command) ? groupHelp(command) : actionHelp(command, group)
}

function groupHelp({ name, summary, actions }: Group): string {
  const lines = actions.map((action): [string, string] => [`${name} ${action.name} ${action.usage}`.trim(), action.summary])
  const options = [...new Set(actions.flatMap((action) => action.options))]
  return [
    `Usage: intent-bus ${name} <${actions.map((action) => action.name).join('|')}>`,
    sentence(summary),
    section('Commands', pairs(lines)),
    ...(options.length > 0 ? [section('Options', optionLines(options))] : []),
    `${section('Options of every command', optionLines(GLOBAL_OPTIONS))}\n`
  ].join('\n\n')
}

function actionHelp({ name, usage, summary, details = '', examples = [], options }: Action, group: Group | undefined): string {
  const words = ['intent-bus', group?.name ?? '', name, '[options]', usage].filter((word) => word !== '')
  return [
    `Usage: ${words.join(' ')}`,
    sentence(summary),
    ...paragraphs(details).map((paragraph) => wrap(paragraph, MAX_LINE).join('\n')),
    ...(options.length > 0 ? [section('Options', optionLines(options))] : []),
    ...(examples.length > 0 ? [section('Examples', examples.map((line) => `  ${line}`))] : []),
    `${section('Options of every command', optionLines(GLOBAL_OPTIONS))}\n`
  ].join('\n\n')
}

function optionLines(options: readonly Option[]): string[] {
  return pairs(
    options.map(({ name, short, value, choices, isList = false, summary }) => {
      const flags = short === undefined ? `--${name}` : `-${short}, --${name}`
      const placeholder = choices?.join(isList ? ',' : '|') ?? (value && `<${value}>`)
      return [placeholder === undefined ? flags : `${flags} ${placeholder}`, summary]
    })
  )
}

function section(title: string, lines: readonly string[]): string {
  return [`${title}:`, ...lines].join('\n')
}

/** Two columns, the second one in several lines where it is long. */
function pairs(rows: readonly (readonly [left: string, right: string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => textWidth(left)))
  return rows.flatMap(([left, right]) =>
    wrap(right, MAX_LINE - width - 4).map((part, i) => `  ${padToWidth(i === 0 ? left : '', width)}  ${part}`)
  )
}

function paragraphs(text: string): string[] {
  return text.split(/\n\s*\n/).flatMap((paragraph) => paragraph.trim().replace(/\s+/g, ' ') || [])
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!
    if (line === '') lines[lines.length - 1] = word
    else if (textWidth(line) + 1 + textWidth(word) <= width) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(word)
  }
  return lines
}

function sentence(summary: string): string {
  return `${summary[0]!.toUpperCase()}${summary.slice(1)}.`
}
