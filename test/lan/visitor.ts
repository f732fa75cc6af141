import { readFileSync } from 'node:fs'
import { IntentClient, type TlsOptions } from '../../src/main/client/index.ts'

/** A program on another machine: `node visitor.ts <url> <key> pin|ca <pin, or the file of the root>`. It does one job of its own. */
const [baseUrl = '', apiKey = '', by, trust = ''] = process.argv.slice(2)
const tls: TlsOptions = by === 'pin' ? { pin: trust } : { ca: readFileSync(trust, 'utf8') }
const client = new IntentClient({ baseUrl, apiKey, tls, tracing: false })
const { id } = await client.publish('visitor', { from: 'afar' })
const intent = await client.claim({ goal: 'visitor' })
await client.fulfill(id, intent!.claimToken, 'done')
process.stdout.write(JSON.stringify((await client.getResult(id)).result))
