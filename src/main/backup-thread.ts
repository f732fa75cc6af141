import { constants } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import type { BackupTask, TaskResult } from './backups/task.ts'
import { emptiness, findFlaw, type Flaw } from './backups/check.ts'
import { copyDatabase } from './backups/copy.ts'
import { gentle } from './backups/pace.ts'
import { isDamage } from './bus/store/database.ts'
import { giveWay } from './give-way.ts'

/** The thread that copies and checks databases beside a bus that serves. It does one thing and ends. */
giveWay(constants.priority.PRIORITY_LOW)
parentPort!.postMessage(await carryOut(workerData as BackupTask))

async function carryOut(task: BackupTask): Promise<TaskResult> {
  try {
    if (task.kind === 'check') return done(findFlaw(task.path))
    const flaw = emptiness(task.source)
    if (flaw !== undefined) return done(flaw)
    await copyDatabase(task.source, task.path, gentle())
    return done(findFlaw(task.path))
  } catch (error) {
    const { message } = error as Error
    return isDamage(error) ? done({ text: message, isDamaged: true }) : { kind: 'failed', reason: message }
  }
}

function done(flaw: Flaw | undefined): TaskResult {
  return { kind: 'done', flaw: flaw ?? null }
}
