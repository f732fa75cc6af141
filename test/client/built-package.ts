import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT, cleanEnvironment } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'

const execute = promisify(execFile)

/** Runs a program to its end, and gives its standard output; rejects with all that it said when it fails. */
export async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const options = { cwd, env: cleanEnvironment(), shell: process.platform === 'win32' }
  const { stdout } = await execute(command, args, options).catch((error: Error & { stdout?: string; stderr?: string }) => {
    throw new Error(`${error.message}\n${error.stdout}${error.stderr}`)
  })
  return stdout
}

/** The client's package, built anew. */
export async function builtPackage(): Promise<{ readonly path: string } & Disposable> {
  const folder = temporaryFolder()
  const path = join(folder.path, 'package')
  await run(process.execPath, [join(ROOT, 'resources', 'build-client.mjs'), path], ROOT)
  return { path, [Symbol.dispose]: () => folder[Symbol.dispose]() }
}
