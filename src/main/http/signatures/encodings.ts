/** The ways in which clients write a part of a query. */

/** RFC 3986, as signatures want it. */
export function strict(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** As forms do. */
export function plus(text: string): string {
  return strict(text).replaceAll('%20', '+')
}

export function keepSlash(text: string): string {
  return strict(text).replaceAll('%2F', '/')
}

export function lowerHex(text: string): string {
  return strict(text).replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase())
}
