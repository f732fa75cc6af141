import { spawn, type ChildProcess } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { ErrorLines } from './error-lines.ts'
import { ProcessGroup } from './process-group.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface ProgramOptions {
  /** The program and its arguments. No shell ever sees them. */
  readonly command: readonly string[]
  readonly env: Environment
  /** Goes to its standard input. */
  readonly input: string
  /** Seconds it may take; Infinity for any time. */
  readonly timeout: number
  /** Bytes that it may write to standard output. */
  readonly maxOutput: number
  /** Ends it, and fails with the signal's reason. */
  readonly signal: AbortSignal
  /** Hears each line that it writes to standard error. */
  readonly onErrorLine: (line: string) => void
}

/** The program could not even be started: no intent is at fault. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

/** A program may leave others behind that keep its output open: milliseconds to wait for what they still say. */
const LINGER_MS = 500

/** Programs that run: when this process ends, however it does, they must not go on. */
const running = new Set<ProcessGroup>()
process.on('exit', () => running.forEach((group) => group.kill()))

/** Runs a program to its end; resolves with its standard output. Rejects when it fails, with what it said last. */
export async function runProgram(options: ProgramOptions): Promise<Buffer> {
  const { command, env, input } = options
  const detached = process.platform !== 'win32'
  const child = spawn(command[0]!, command.slice(1), { env: { ...env }, stdio: 'pipe', detached, windowsHide: true })
  const group = new ProcessGroup(child)
  running.add(group)
  try {
    // A program need not read what it is given.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    return await outcomeOf(child, group, options)
  } finally {
    running.delete(group)
  }
}

/** Whether there is a program of this name: as the system looks for it when it starts one. */
export function isProgram(name: string, env: Environment): boolean {
  if (process.platform === 'win32') return true
  if (name.includes('/')) return isExecutable(name)
  return (env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && isExecutable(join(folder, name)))
}

async function outcomeOf(child: ChildProcess, group: ProcessGroup, options: ProgramOptions): Promise<Buffer> {
  const { timeout, maxOutput, signal, onErrorLine } = options
  const chunks: Buffer[] = []
  let size = 0
  let stopped: Error | undefined
  let ending: Promise<void> | undefined
  const stop = (reason: Error): void => {
    stopped ??= reason
    ending ??= group.end()
  }
  const errors = new ErrorLines(onErrorLine)
  child.stderr!.on('data', (chunk: Buffer) => errors.read(chunk))
  child.stdout!.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= maxOutput) chunks.push(chunk)
    else stop(new Error(`The program wrote more than ${maxOutput} bytes to standard output, which is its result.`))
  })
  const tooLong = (): void => stop(new Error(`The program took longer than ${timeout} s.`))
  const timer = timeout === Infinity ? undefined : setTimeout(tooLong, timeout * 1000)
  const onAbort = (): void => stop(signal.reason as Error)
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    const { code, endedBy } = await endOf(child)
    await ending
    errors.end()
    if (stopped !== undefined) throw stopped
    if (endedBy !== null) throw new Error(`The program was ended by ${endedBy}.`)
    if (code !== 0) throw new Error(stripVTControlCharacters(errors.last) || `The program exited with ${code}.`)
    return Buffer.concat(chunks)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

function endOf(child: ChildProcess): Promise<{ readonly code: number | null; readonly endedBy: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new StartError(`${child.spawnfile} cannot be started: ${error.message}.`)))
    child.on('exit', (code, endedBy) => {
      const done = (): void => {
        clearTimeout(timer)
        child.stdout!.destroy()
        child.stderr!.destroy()
        resolve({ code, endedBy })
      }
      const timer = setTimeout(done, LINGER_MS)
      child.on('close', done)
    })
  })
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
