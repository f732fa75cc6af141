/** A port that cannot be listened on. The message is one sentence for the user. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
}

export interface PortSource {
  /** The variables that decide host and port, beside the settings; null for a host that nobody chose. */
  readonly host: string | null
  readonly port: string
}

/** What a user is told of a port that could not be had, and what to do. */
export function listenTrouble({ code, message }: NodeJS.ErrnoException, host: string, port: number, source: PortSource): ListenError {
  return new ListenError(sentence(code, message, host, port, source))
}

function sentence(code: string | undefined, message: string, host: string, port: number, source: PortSource): string {
  if (code === 'EADDRINUSE') {
    return `Port ${port} on ${host} is taken by another program; stop it, or choose another port (${source.port}, or the settings; 0 takes any free one).`
  }
  if (code === 'EACCES') return `Port ${port} on ${host} needs special rights; choose one from 1024 up (${source.port}, or the settings).`
  if (source.host !== null && isNoAddress(code)) return `${host} is not an address of this machine; set ${source.host} to one that is.`
  return `The bus cannot listen on ${host}, port ${port}: ${message}.`
}

/** Whether listening failed because the address is not this machine's, or not any more. */
export function isNoAddress(code: string | undefined): boolean {
  return code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND'
}
