/** Has the `address:port` of the name server that a worker is to ask. */
export const NAME_SERVER_VARIABLE = 'ATTACK_NAME_SERVER';
