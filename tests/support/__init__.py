"""What tests share: a tiny chain, a repository around it, golden files, servers, drawn datasets."""
