import { ControlError } from '../../../shared/control/transport.ts'

/** Whatever was thrown, as something that can be shown. */
export function asControlError(error: unknown): ControlError {
  if (error instanceof ControlError) return error
  return new ControlError({ code: 'internal_error', message: `The interface has a fault: ${(error as Error).message}` })
}
