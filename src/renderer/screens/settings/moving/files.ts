import type { Input } from '../../../../shared/control/contract.ts'
import { ControlError, type ControlTransport } from '../../../../shared/control/transport.ts'

type Call = ControlTransport['call']

/** Bytes of a piece: a call has room for a megabyte of Base64 at most. */
const PIECE_BYTES = 524_288

/** All of an export. The browser keeps large ones on disk. `onProgress` hears how many characters there are. */
export async function readExport(call: Call, options: Input<'transfer.export'>, onProgress: (length: number) => void): Promise<File> {
  const { id, name } = await call('transfer.export', options)
  const parts: Blob[] = []
  let length = 0
  for (let part = 0, isLast = false; !isLast; part++) {
    const read = await call('transfer.read', { id, part })
    parts.push(new Blob([read.text]))
    length += read.text.length
    isLast = read.isLast
    onProgress(length)
  }
  return new File(parts, name, { type: 'application/x-ndjson' })
}

/** Sends what the user chose and has it checked: a file, and the log of a database where that was chosen, too. */
export async function sendFiles(call: Call, files: readonly File[], onProgress: (sent: number, total: number) => void): Promise<void> {
  const total = files.reduce((sum, { size }) => sum + size, 0)
  let id: string | null = null
  let sent = 0
  try {
    // A log belongs to a file, which comes first.
    for (const file of [...files].sort((a, b) => Number(isLog(a)) - Number(isLog(b)))) {
      for (let offset = 0; offset === 0 || offset < file.size; offset += PIECE_BYTES) {
        const piece = file.slice(offset, offset + PIECE_BYTES)
        const part = isLog(file) ? 'wal' : 'file'
        const data = await toBase64(piece)
        const input = { id, name: file.name, size: id === null ? total : null, part, offset, data } as const
        const view: { readonly id: string } = await call('transfer.upload', input)
        id = view.id
        sent += piece.size
        onProgress(sent, total)
      }
    }
    await call('transfer.check', { id: id! })
  } catch (error) {
    // Half a file only takes room; where this does not get through either, the bus forgets it a little later.
    if (id !== null) await call('transfer.drop', { id }).catch(() => {})
    throw error
  }
}

/** Why these files cannot be one import; null when they can. */
export function problemOf(files: readonly File[]): string | null {
  const logs = files.filter(isLog).length
  if (files.length - logs === 1 && logs <= 1) return null
  return 'Choose one file: an export, or the database of a reference server, with its -wal file if there is one.'
}

function isLog({ name }: File): boolean {
  return name.endsWith('-wal')
}

function toBase64(piece: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve((reader.result as string).replace(/^data:[^,]*,/, '').replace(/^data:$/, ''))
    reader.onerror = () => reject(new ControlError({ code: 'invalid_request', message: 'The file cannot be read any more; choose it again.' }))
    reader.readAsDataURL(piece)
  })
}
