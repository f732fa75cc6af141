import { DNSPacket } from '@homebridge/ciao/lib/coder/DNSPacket.js'
import { isModest } from './mdns-message.ts'

/** Of the third byte: that more of a question's known answers follow in other messages. */
const TRUNCATED = 0x02

/**
 * Has the responder's decoder, in this thread, look at modest messages only: of 64 KB that point to one long name it makes
 * gigabytes. Its caller drops what it throws at.
 */
export function guardDecoder(): void {
  const decode = DNSPacket.decode.bind(DNSPacket)
  DNSPacket.decode = (context, message, offset) => {
    if (!isModest(message)) throw new RangeError('This is more than a message of mDNS holds.')
    // Waiting for the rest would be to keep whatever strangers send.
    message.writeUInt8(message.readUInt8(2) & ~TRUNCATED, 2)
    return decode(context, message, offset)
  }
}
