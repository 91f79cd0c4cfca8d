/** What went wrong last on the way of a pull or push. */
export type RegistryProblem =
  /** The server cannot be reached, or the connection with it broke: the same again may do. */
  { readonly kind: 'lost' } | { readonly kind: 'refused'; readonly status: number; readonly message: string }

/** What passes the endpoint of one repository, while one pull or push is under way. */
export interface RegistryWatch extends Disposable {
  readonly problem: RegistryProblem | null
  /** Digests of the manifests that were put, by what they were put as. */
  readonly manifests: ReadonlyMap<string, string>
}

/** The endpoint's side. */
export interface RegistryWatches {
  open(repository: string): RegistryWatch
  /** Whether anybody watches the repository. */
  has(repository: string): boolean
  lost(): void
  refused(repository: string, status: number, message: string): void
  put(repository: string, reference: string, digest: string): void
}

export function registryWatches(): RegistryWatches {
  const open = new Set<{ repository: string; problem: RegistryProblem | null; manifests: Map<string, string> }>()
  const of = (repository: string) => [...open].filter((watch) => watch.repository === repository)
  return {
    open(repository) {
      const watch = { repository, problem: null, manifests: new Map<string, string>() }
      open.add(watch)
      return Object.assign(watch, { [Symbol.dispose]: () => void open.delete(watch) })
    },
    has: (repository) => of(repository).length > 0,
    lost() {
      // Engines ask whether there is a registry at all before they name a repository.
      for (const watch of open) watch.problem = { kind: 'lost' }
    },
    refused(repository, status, message) {
      for (const watch of of(repository)) watch.problem = { kind: 'refused', status, message }
    },
    put(repository, reference, digest) {
      for (const watch of of(repository)) watch.manifests.set(reference, digest)
    },
  }
}
