/** What the author of a Dockerfile did wrong, or what a step of hers answered: told in the build's output, never thrown on. */
export class BuildError extends Error {
  override readonly name = 'BuildError'
  /** The exit code of a command that failed; null: something else. */
  readonly code: number | null

  constructor(message: string, code: number | null = null) {
    super(message)
    this.code = code
  }
}

/** How the classic builder refuses what only its successor knows. */
export function needsBuildKit(option: string): BuildError {
  return new BuildError(
    `the ${option} option requires BuildKit. Refer to https://docs.docker.com/go/buildkit/ to learn how to build images with BuildKit enabled`,
  )
}
