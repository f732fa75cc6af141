interface WithEnvironment {
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> }
}

/** A variable of the environment, where there is one that may be read; an empty one counts as missing. */
export function environmentVariable(name: string): string | undefined {
  try {
    return (globalThis as WithEnvironment).process?.env?.[name] || undefined
  } catch {
    // Deno asks for permission, and throws when it is not given.
    return undefined
  }
}
