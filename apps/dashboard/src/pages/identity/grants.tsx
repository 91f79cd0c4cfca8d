import { ActionIcon, Group, Loader, Stack, Text, Title } from '@mantine/core'
import { IconTrash } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { type AssignmentView, assignmentsQuery, identity, type UserView } from '../../api/identity.ts'
import { useAct } from '../../parts/dialogs.tsx'
import { Failure } from '../../parts/failure.tsx'

/** What a user may do where. */
export function Grants({ user }: { readonly user: UserView }) {
  const { data, error } = useQuery(assignmentsQuery(user.id))
  const taking = useAct(
    ['assignment'],
    () => undefined,
    ({ scope, role }: AssignmentView) =>
      identity('DELETE', `/projects/${scope.project?.id ?? ''}/users/${user.id}/roles/${role.id}`),
  )
  if (error) return <Failure error={error} what="The roles could not be read" />
  if (!data) return <Loader size="sm" aria-label="Loading the roles" />
  return (
    <Stack gap="xs">
      <Title order={3} size="h5">
        Roles
      </Title>
      {data.length === 0 && <Text c="dimmed">None: there is nowhere to sign in to.</Text>}
      {data.map((assignment) => {
        const { role, scope } = assignment
        const where = scope.project ? `in project ${scope.project.name}` : 'beyond projects'
        return (
          <Group key={`${role.id} ${scope.project?.id ?? ''}`} justify="space-between">
            <Text size="sm">
              <b>{role.name}</b> {where}
            </Text>
            {scope.project && (
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={`Take away ${role.name} ${where}`}
                disabled={taking.isPending}
                onClick={() => taking.mutate(assignment)}
              >
                <IconTrash size={16} aria-hidden />
              </ActionIcon>
            )}
          </Group>
        )
      })}
      {taking.error && <Failure error={taking.error} what="The role could not be taken away" />}
    </Stack>
  )
}
