/** The server has preact's own module here. */
export * from 'preact';
