import { open, stat, type FileHandle } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Operator } from '../bus/operator.ts'
import { CommandError, EXIT } from '../exit.ts'

/** Bytes of a piece: a call to the bus has room for a megabyte of Base64 at most. */
const PIECE_BYTES = 524_288

/**
 * Sends a file to the bus, and the log of a SQLite database that lies beside it; resolves with the id of the import. The files are
 * only read. Throws CommandError for a file that cannot be read, or that somebody writes to.
 */
export async function sendFile(operator: Operator, path: string): Promise<string> {
  const log = `${path}-wal`
  const before = await stateOf(path, log)
  const id = await sendPart(operator, path, null, 'file')
  if (before.log > 0) await sendPart(operator, log, id, 'wal')
  const after = await stateOf(path, log)
  if (before.text === after.text) return id
  await operator.call('transfer.drop', { id })
  throw new CommandError(EXIT.refused, `${path} changed while it was read.`, 'Stop the server that it belongs to, then import it.')
}

async function sendPart(operator: Operator, path: string, begun: string | null, part: 'file' | 'wal'): Promise<string> {
  const file = await openForReading(path)
  try {
    const piece = Buffer.allocUnsafe(PIECE_BYTES)
    let id = begun
    for (let offset = 0; ; ) {
      const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, offset)
      if (bytesRead === 0 && id !== null) return id
      const data = piece.subarray(0, bytesRead).toString('base64')
      ;({ id } = await operator.call('transfer.upload', { id, name: basename(path), part, offset, data }))
      offset += bytesRead
    }
  } finally {
    await file.close()
  }
}

async function openForReading(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r')
  } catch (error) {
    throw unreadable(path, error)
  }
}

/** What would be another one if somebody wrote to the files. */
async function stateOf(path: string, log: string): Promise<{ readonly log: number; readonly text: string }> {
  const [main, beside] = await Promise.all([
    stat(path).catch((error: unknown) => {
      throw unreadable(path, error)
    }),
    stat(log).catch(() => undefined)
  ])
  if (!main.isFile()) throw new CommandError(EXIT.refused, `${path} is no file.`)
  return { log: beside?.size ?? 0, text: `${main.size} ${main.mtimeMs} ${beside?.size} ${beside?.mtimeMs}` }
}

function unreadable(path: string, error: unknown): CommandError {
  const { code, message } = error as NodeJS.ErrnoException
  return new CommandError(EXIT.refused, `${path} cannot be read (${code ?? message}).`)
}
