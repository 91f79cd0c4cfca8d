import { ActionIcon, Group, Loader, Stack, Text, TextInput, Title } from '@mantine/core'
import type { ImageMemberView, ImageView } from '@gantry/facade-native/views'
import { IconTrash } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { call } from '../../api/client.ts'
import { post, remove } from '../../api/lists.ts'
import { FormDialog, textOf, useAct } from '../../parts/dialogs.tsx'
import { Failure } from '../../parts/failure.tsx'
import { useSession } from '../../shell/session.tsx'

/** The projects that a shared image is shared with, for its owner. */
export function Members({ image }: { readonly image: ImageView }) {
  const { data, error } = useQuery({
    queryKey: ['image-member', image.id],
    staleTime: 0,
    queryFn: async ({ signal }) =>
      (await call<{ members: ImageMemberView[] }>(`/v1/images/${image.id}/members`, { signal })).members,
  })
  const taking = useAct(
    ['image-member'],
    () => undefined,
    ({ projectId }: ImageMemberView) => remove(`/v1/images/${image.id}/members/${encodeURIComponent(projectId)}`),
  )
  if (error) return <Failure error={error} what="The projects it is shared with could not be read" />
  if (!data) return <Loader size="sm" aria-label="Loading the projects it is shared with" />
  return (
    <Stack gap="xs">
      <Title order={3} size="h5">
        Shared with
      </Title>
      {data.length === 0 && <Text c="dimmed">No project yet.</Text>}
      {data.map((member) => (
        <Group key={member.projectId} justify="space-between" wrap="nowrap">
          <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
            {member.projectId}: {member.status}
          </Text>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={`Share it no longer with ${member.projectId}`}
            disabled={taking.isPending}
            onClick={() => taking.mutate(member)}
          >
            <IconTrash size={16} aria-hidden />
          </ActionIcon>
        </Group>
      ))}
      {taking.error && <Failure error={taking.error} what="It could not be taken back" />}
    </Stack>
  )
}

/** Asks for the project that may use it from now on. */
export function Share({ image, onClose }: { readonly image: ImageView; readonly onClose: () => void }) {
  const { project } = useSession()
  return (
    <FormDialog
      title={`Share ${image.name}`}
      verb="Share"
      nouns={['image-member']}
      onClose={onClose}
      onSubmit={(form) => post(`/v1/images/${image.id}/members`, { project: textOf(form, 'project') })}
    >
      <TextInput
        name="project"
        label="Project"
        description={`By id or name. There it is run as ${project.name}/${image.name}; it is in the list once it was accepted.`}
        required
        data-autofocus
      />
    </FormDialog>
  )
}
