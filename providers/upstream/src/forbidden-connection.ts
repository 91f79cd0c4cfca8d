/** A connection that the rules forbid. Its code keeps it from being tried again. */
export class ForbiddenConnection extends Error {
  override readonly name = 'ForbiddenConnection'
  readonly code = 'GANTRY_FORBIDDEN_CONNECTION'
}
