import type { Action, Command } from '../command.ts'
import { bashScript } from '../completion/bash.ts'
import { fishScript } from '../completion/fish.ts'
import { placesOf } from '../completion/words.ts'
import { zshScript } from '../completion/zsh.ts'
import { EXIT, UsageError } from '../exit.ts'

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const

/** `table`: all commands, this one included. */
export function completionOf(table: () => readonly Command[]): Action {
  return {
    name: 'completion',
    summary: 'print a script by which a shell completes commands',
    usage: '<bash|zsh|fish>',
    arity: { min: 1, max: 1 },
    asksNoBus: true,
    choices: Object.keys(SCRIPTS),
    options: [],
    examples: ['eval "$(intent-bus completion bash)"', 'intent-bus completion fish > ~/.config/fish/completions/intent-bus.fish'],

    async run({ args, output }) {
      const shell = args.positionals[0]!
      if (!Object.hasOwn(SCRIPTS, shell)) {
        throw new UsageError(`There is no script for ${shell}, only for ${Object.keys(SCRIPTS).join(', ')}.`)
      }
      const script = SCRIPTS[shell as keyof typeof SCRIPTS](placesOf(table()))
      if (output.isJson) await output.json({ shell, script })
      else await output.write(script)
      return EXIT.done
    }
  }
}
