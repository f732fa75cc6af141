import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { dataDirectoryOf } from '../../src/main/config.ts'
import { DEFAULT_SETTINGS } from '../../src/shared/control/settings.ts'
import { Trouble } from './trouble.ts'

export interface Profile {
  readonly workers: number
  readonly intents: number
}

export const PROFILES: Readonly<Record<string, Profile>> = {
  low: { workers: 5, intents: 50 },
  medium: { workers: 15, intents: 500 },
  high: { workers: 40, intents: 2_000 }
}

export interface Options extends Profile {
  readonly profile: string
  /** Without a slash at its end. */
  readonly url: string
  readonly key: string
  readonly reportPath: string
}

const USAGE = `--profile ${Object.keys(PROFILES).join('|')}, --url, --key-file and --report`

/** Throws Trouble. */
export function readOptions(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Options {
  const given = parse(args)
  const profileName = given.profile ?? 'low'
  const profile = Object.hasOwn(PROFILES, profileName) ? PROFILES[profileName] : undefined
  if (profile === undefined) {
    throw new Trouble(`There is no profile "${profileName}"; choose one of ${Object.keys(PROFILES).join(', ')}.`)
  }
  return {
    ...profile,
    profile: profileName,
    url: readUrl(given.url ?? `http://127.0.0.1:${DEFAULT_SETTINGS.port}`),
    key: readKey(given['key-file'], env),
    reportPath: given.report ?? join('test-results', `stress-${profileName}.json`)
  }
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const
  try {
    return parseArgs({ args: [...args], options: { profile: text, url: text, 'key-file': text, report: text } }).values
  } catch (error) {
    throw new Trouble(`${(error as Error).message.split('. ')[0]}; there are ${USAGE}.`)
  }
}

function readUrl(text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new Trouble(`--url must be the address of a bus, like http://127.0.0.1:${DEFAULT_SETTINGS.port}, not "${text}".`)
  }
  return text.replace(/\/+$/, '')
}

/** The key from the environment, else from a file, else the main key of a bus on this machine. */
function readKey(file: string | undefined, env: Readonly<Record<string, string | undefined>>): string {
  if (env.INTENT_API_KEY) return env.INTENT_API_KEY
  const path = file ?? join(dataDirectoryOf(env), 'main.key')
  let key: string
  try {
    key = readFileSync(path, 'utf8').trim()
  } catch {
    throw new Trouble(`There is no key at ${path}; set INTENT_API_KEY, or name its file with --key-file.`)
  }
  // What no header can carry is no key; fetch would refuse it with a riddle.
  if (/^[!-~]([ -~]*[!-~])?$/.test(key)) return key
  throw new Trouble(`${path} holds no key; set INTENT_API_KEY, or name its file with --key-file.`)
}
