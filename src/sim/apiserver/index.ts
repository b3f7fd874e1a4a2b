export { type ApiServer, type ApiServerOptions, createApiServer } from './server.ts';
export {
  isStatusError,
  newAlreadyExists,
  newBadRequest,
  newConflict,
  newForbidden,
  newInternalError,
  newInvalid,
  newNotFound,
  newTooManyRequests,
  type Status,
  type StatusCause,
  StatusError,
} from './status-error.ts';
