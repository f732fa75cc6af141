import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { z } from 'zod'
import { MEGABYTE } from '../../../shared/bytes.ts'
import { badFile } from './format.ts'

/** What lets somebody in: in an export only for who has its passphrase. */
export interface Secrets {
  /** In clear; null where the old bus could not read it. */
  readonly mainKey: string | null
  readonly password: string | null
  /** The digests of generated keys, by their ids. */
  readonly keys: readonly (readonly [id: string, digest: string])[]
}

/** What a guess costs: 64 MiB of memory and a fifth of a second. What is read may have cost more or less, within bounds. */
const COST = { N: 65_536, r: 8, p: 2 } as const
const MAX_MEMORY = 512 * MEGABYTE
const KEYS_IN_A_LINE = 5_000
const MAX_PARTS = 64

const base64 = z.base64().max(2_000_000)

export const sealedSecrets = z.object({
  kdf: z.object({
    name: z.literal('scrypt'),
    N: z.literal([32_768, 65_536, 131_072, 262_144]),
    r: z.literal(8),
    p: z.int().min(1).max(4),
    salt: base64.length(24)
  }),
  part: z.int().min(1).max(MAX_PARTS),
  parts: z.int().min(1).max(MAX_PARTS),
  iv: base64.length(16),
  tag: base64.length(24),
  data: base64
})

/** One line of secrets, encrypted by AES-256-GCM under a key that scrypt makes of the passphrase. Bytes are Base64. */
export type SealedSecrets = Readonly<z.infer<typeof sealedSecrets>>

const opened = z.object({
  mainKey: z.string().nullable(),
  password: z.string().nullable(),
  keys: z.array(z.tuple([z.string().regex(/^key_[0-9a-f]{16}$/), z.string().regex(/^[\w-]{43}$/)]))
})

/** Encrypts secrets, as few lines as will do. */
export async function sealSecrets(secrets: Secrets, passphrase: string): Promise<SealedSecrets[]> {
  const salt = randomBytes(16)
  const key = await keyOf(passphrase, salt, COST)
  const parts = Math.max(1, Math.ceil(secrets.keys.length / KEYS_IN_A_LINE))
  if (parts > MAX_PARTS) throw badFile(`There are more than ${MAX_PARTS * KEYS_IN_A_LINE} keys; revoke some that nobody uses.`)
  const kdf = { name: 'scrypt', ...COST, salt: salt.toString('base64') } as const
  return Array.from({ length: parts }, (_, i) => {
    const keys = secrets.keys.slice(i * KEYS_IN_A_LINE, (i + 1) * KEYS_IN_A_LINE)
    const first = i === 0 ? secrets : { mainKey: null, password: null }
    const text = JSON.stringify({ mainKey: first.mainKey, password: first.password, keys })
    const iv = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(place(i + 1, parts))
    const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    const sealed = { iv: iv.toString('base64'), tag: cipher.getAuthTag().toString('base64'), data: data.toString('base64') }
    return { kdf, part: i + 1, parts, ...sealed }
  })
}

/** Decrypts all lines of secrets of a file. Throws `invalid_request` for a wrong passphrase, and for lines that were changed. */
export async function openSecrets(lines: readonly SealedSecrets[], passphrase: string): Promise<Secrets> {
  const { kdf, parts } = lines[0]!
  const isWhole = lines.length === parts && lines.every((line, i) => line.part === i + 1 && line.parts === parts && isSame(line.kdf, kdf))
  if (!isWhole) throw badFile('The secrets in this file are not complete; export it anew.')
  const key = await keyOf(passphrase, Buffer.from(kdf.salt, 'base64'), kdf)
  const all = lines.map((line) => open(line, key))
  return { mainKey: all[0]!.mainKey, password: all[0]!.password, keys: all.flatMap(({ keys }) => keys) }
}

function open({ part, parts, iv, tag, data }: SealedSecrets, key: Buffer): Secrets {
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64'), { authTagLength: 16 })
  decipher.setAAD(place(part, parts)).setAuthTag(Buffer.from(tag, 'base64'))
  try {
    const text = Buffer.concat([decipher.update(data, 'base64'), decipher.final()]).toString('utf8')
    return opened.parse(JSON.parse(text))
  } catch {
    throw badFile('This is not the passphrase of the export. Nothing was imported.')
  }
}

/** Which line it is goes into the seal, so that lines cannot change places. */
function place(part: number, parts: number): Buffer {
  return Buffer.from(`intent-bus-export secrets ${part}/${parts}`)
}

function isSame(a: SealedSecrets['kdf'], b: SealedSecrets['kdf']): boolean {
  return a.salt === b.salt && a.N === b.N && a.p === b.p
}

function keyOf(passphrase: string, salt: Buffer, { N, r, p }: Pick<SealedSecrets['kdf'], 'N' | 'r' | 'p'>): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // The same passphrase may come in two spellings of its accents.
    scrypt(passphrase.normalize('NFC'), salt, 32, { N, r, p, maxmem: MAX_MEMORY }, (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })
}
