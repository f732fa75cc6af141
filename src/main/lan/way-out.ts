import { createSocket } from 'node:dgram'

/** Addresses for documentation (RFC 5737, RFC 3849): on no network, so that the way to them is the default one. */
const ELSEWHERE = [
  ['udp4', '192.0.2.1'],
  ['udp6', '2001:db8::1']
] as const
/** Discard; nothing is sent to it. */
const PORT = 9

/** The address from which this machine would speak to the rest of the world; null where there is no way out. Sends nothing. */
export async function findWayOut(): Promise<string | null> {
  for (const [type, address] of ELSEWHERE) {
    const own = await sourceTo(type, address)
    if (own !== null) return own
  }
  return null
}

/** Connecting a UDP socket only has the system choose the way. */
function sourceTo(type: (typeof ELSEWHERE)[number][0], address: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = createSocket(type)
    const answer = (own: string | null): void => {
      socket.close()
      resolve(own)
    }
    socket.once('error', () => answer(null))
    socket.once('connect', () => answer(socket.address().address))
    socket.connect(PORT, address)
  })
}
