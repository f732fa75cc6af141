import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { GLOBAL_OPTIONS, isGroup, takesValue } from '../../src/main/cli/command.ts'
import { COMMANDS } from '../../src/main/cli/commands.ts'
import { FILTER_WORDS } from '../../src/shared/control/filter.ts'
import { ROLES } from '../../src/shared/scope.ts'
import { temporaryFolder } from '../support/folders.ts'
import { runCli } from './cli.ts'
import { Terminal } from './terminal.ts'

/** Gives bash the script, and a function that tells what a line is completed to. */
const DRIVER = `source /dev/stdin <<< "$SCRIPT"
complete_line() {
  COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMPREPLY=()
  _intent_bus
  printf '%s\\n' "\${COMPREPLY[@]}" | sort | paste -sd' '
}
complete -p intent-bus
`

test('completes commands, options and values in a real bash', async () => {
  const { stdout: script } = await runCli(['completion', 'bash'], {})
  const completed = (...words: string[]): string[] => {
    const line = words.map((word) => `'${word}'`).join(' ')
    const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', `${DRIVER}complete_line intent-bus ${line}`], {
      env: { ...process.env, SCRIPT: script },
      encoding: 'utf8'
    })
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
    const [registered, found = ''] = stdout.split('\n')
    expect(registered).toBe('complete -F _intent_bus intent-bus')
    return found.split(' ').filter((word) => word !== '')
  }
  expect(completed('')).toEqual(COMMANDS.map(({ name }) => name).sort())
  expect(completed('re')).toEqual(['result', 'retry'])
  expect(completed('keys', '')).toEqual(['create', 'limit', 'list', 'revoke'])
  expect(completed('publish', '--max')).toEqual(['--max-attempts'])
  expect(completed('keys', 'create', '--s')).toEqual(['--save'])
  expect(completed('--url', 'http://x', 'kv', '')).toEqual(['get', 'set'])
  expect(completed('publish', 'g', '--visibility', 'p')).toEqual(['private', 'public'])
  expect(completed('publish', 'g', '--priority', '')).toEqual([])
  expect(completed('completion', '')).toEqual(['bash', 'fish', 'zsh'])
  expect(completed('help', 'k')).toEqual(['keys', 'kv'])
  expect(completed('list', '--key-file', 'tscon')).toContain('tsconfig.json')
  expect(completed('work', 'g', '--', 'sor')).toContain('sort')
  expect(completed('work', 'g', '--', 'sort', 'package.j')).toEqual(['package.json'])
  expect(completed('keys', 'limit', 'pi', '--roles', 'publish,')).toEqual(ROLES.map((role) => `publish,${role}`).sort())
  expect(completed('nonsense', '')).toEqual(COMMANDS.map(({ name }) => name).sort())
})

test('completes the words of filters as they are typed, though bash breaks words at colons', async () => {
  using folder = temporaryFolder()
  const { stdout: script } = await runCli(['completion', 'bash'], {})
  const file = join(folder.path, 'completion.bash')
  writeFileSync(file, script)
  await using shell = Terminal.shell({})
  shell.type(`PS1=; source ${file}; intent-bus() { printf '[%s]' "$@" done; echo; }\n`)
  for (const [typed, shown] of [
    ['list st\tde\t', '[list][status:dead][done]'],
    ['list goal:a pay\torder:42', '[list][goal:a][payload.order:42][done]'],
    ['watch -- -has:x vi\tpu\t', '[watch][--][-has:x][visibility:public][done]'],
    ['--url http://127.0.0.1:7610 retry --filter status:f\t--yes', '[--url][http://127.0.0.1:7610][retry][--filter][status:fulfilled][--yes][done]'],
    ['keys limit pi --roles claim,re\t', '[keys][limit][pi][--roles][claim,read][done]']
  ] as const) {
    shell.type(`intent-bus ${typed}\n`)
    await shell.shows(shown)
  }
})

test('scripts for the other shells name every field of filters', async () => {
  const [zsh, fish] = await Promise.all(['zsh', 'fish'].map((shell) => runCli(['completion', shell], {})))
  for (const { begin, detail } of FILTER_WORDS) {
    expect(zsh!.stdout).toContain(`'${begin.replace(':', '\\:')}:${detail}'`)
    expect(fish!.stdout).toContain(`'${begin}' '${detail}'`)
  }
})

test('scripts for the other shells name every command and option', async () => {
  const [zsh, fish] = await Promise.all(['zsh', 'fish'].map((shell) => runCli(['completion', shell], {})))
  for (const command of COMMANDS) {
    expect(zsh!.stdout).toContain(`'${command.name}:`)
    expect(fish!.stdout).toContain(`-a '${command.name}' `)
    for (const { name } of isGroup(command) ? command.actions.flatMap(({ options }) => options) : command.options) {
      expect(zsh!.stdout).toMatch(new RegExp(`'\\*?--${name}\\[`))
      expect(fish!.stdout).toContain(` -l ${name} `)
    }
  }
})

test('one name of an option means the same in all commands: it takes a value everywhere, or nowhere', () => {
  const actions = COMMANDS.flatMap((command) => (isGroup(command) ? command.actions : [command]))
  const options = [...GLOBAL_OPTIONS, ...actions.flatMap((action) => action.options)]
  const kinds = new Set(options.map((option) => `${option.name} ${takesValue(option)}`))
  expect(kinds.size).toBe(new Set(options.map(({ name }) => name)).size)
})
