import { spawnSync } from 'node:child_process'
import { ROOT } from './bus-process.ts'

/** Before any test: the build that the black-box tests start. */
export default function setup(): void {
  const { status, stdout, stderr } = spawnSync('npm', ['run', 'build'], { cwd: ROOT, encoding: 'utf8' })
  if (status !== 0) throw new Error(`The build failed.\n${stdout}${stderr}`)
}
