import { useInfiniteQuery } from '@tanstack/react-query'
import { containersQuery } from '../../api/nouns.ts'
import { Failure } from '../../parts/failure.tsx'
import { Page } from '../../parts/page.tsx'
import { Status } from '../../parts/status.tsx'

export function Containers() {
  const { data, error, refetch } = useInfiniteQuery(containersQuery)
  return (
    <Page title="Containers">
      {error && <Failure error={error} what="The containers could not be listed" onRetry={() => void refetch()} />}
      <ul>
        {data?.pages
          .flatMap((page) => page.containers)
          .map((container) => (
            <li key={container.id}>
              {container.name}{' '}
              <Status status={container.status} task={container.task} reason={container.statusReason} />
            </li>
          ))}
      </ul>
    </Page>
  )
}
