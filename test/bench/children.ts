import type { ChildProcess } from 'node:child_process'

/** However this process ends, the child goes with it. */
export function diesWithUs(child: ChildProcess): void {
  const kill = (): void => void child.kill('SIGKILL')
  // First of all that happens then: its files can be removed once it is gone.
  process.prependListener('exit', kill)
  child.once('exit', () => process.off('exit', kill))
}
