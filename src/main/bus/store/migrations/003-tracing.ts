/** Where a publisher's trace goes on: the header of W3C Trace Context. */
export const tracing = `
ALTER TABLE intents ADD COLUMN traceparent TEXT;
`
