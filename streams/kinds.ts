/** Indexes of the names that mean something to the numbers. */
import { OPERATION_TYPES, PENDING, STATUSES } from './event.js';

export const SUCCESS_STATUS = STATUSES.indexOf('success');
export const ERROR_STATUS = STATUSES.indexOf('error');
export const FAILED_STATUS = STATUSES.indexOf('failed');
export const WARNING_STATUS = STATUSES.indexOf('warning');
export const SKIPPED_STATUS = STATUSES.indexOf('skipped');
export const PENDING_STATUS = STATUSES.indexOf(PENDING);

export const CONFLICT_TYPE = OPERATION_TYPES.indexOf('conflict_resolution');
export const IDENTIFICATION_TYPE = OPERATION_TYPES.indexOf('customer_identification');
export const EXPORT_TYPE = OPERATION_TYPES.indexOf('export_to_1c');
export const IMPORT_TYPE = OPERATION_TYPES.indexOf('import_from_1c');
