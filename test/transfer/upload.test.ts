import { existsSync, readFileSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { Upload } from '../../src/main/transfer/upload.ts'
import { temporaryFolder } from '../support/folders.ts'

/** What all handles of files write by. */
async function writing(folder: string): Promise<FileHandle> {
  const handle = await open(join(folder, 'any'), 'w')
  await handle.close()
  return Object.getPrototypeOf(handle) as FileHandle
}

test('a disk that takes a part of a piece only gets the rest, too', async () => {
  using folder = temporaryFolder()
  const upload = await Upload.begin(join(folder.path, 'imports'), 'a')
  const handles = await writing(folder.path)
  const write = handles.write as (...args: unknown[]) => Promise<{ bytesWritten: number; buffer: Buffer }>
  const short = vi.spyOn(handles, 'write').mockImplementation(function (this: FileHandle, ...[bytes, offset, length, position]: unknown[]) {
    return write.call(this, bytes, offset, Math.min(length as number, 1_000), position)
  } as never)
  try {
    await upload.append('file', Buffer.alloc(2_500, 'a'))
    await upload.append('file', Buffer.alloc(1_700, 'b'))
    expect(short.mock.calls.length).toBeGreaterThan(4)
  } finally {
    short.mockRestore()
  }
  expect(readFileSync(upload.path, 'utf8')).toBe('a'.repeat(2_500) + 'b'.repeat(1_700))
  expect(upload.bytes).toBe(4_200)
})

test('nothing is left of a file that is removed while a piece of it is written', async () => {
  using folder = temporaryFolder()
  const root = join(folder.path, 'imports')
  for (let i = 0; i < 20; i++) {
    const upload = await Upload.begin(root, `id${i}`)
    const written = upload.append('file', Buffer.alloc(500_000, 'x'))
    await Promise.all([written, upload.remove()])
    expect(existsSync(join(root, `id${i}`))).toBe(false)
  }
})
