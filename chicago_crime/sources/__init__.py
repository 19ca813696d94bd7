"""Where the yearly CSVs come from: one module per publisher, all behind `base.CrimeSource`."""

from chicago_crime.settings import Settings
from chicago_crime.sources.base import CrimeSource


def build_source(settings: Settings) -> CrimeSource:
    """The source that the settings choose. It has not been asked for anything yet."""
    if settings.source == "folder":
        from chicago_crime.sources.folder import FolderSource

        assert settings.folder, "the settings are validated: source=folder has a folder"
        return FolderSource(settings.folder)
    if settings.source == "kaggle":
        from chicago_crime.sources.kaggle import KaggleSource
        from chicago_crime.sources.kaggle_login import KaggleLogin
        from chicago_crime.sources.kaggle_secret import KaggleSecret

        secret = settings.kaggle_secret and KaggleSecret(
            settings.kaggle_secret, settings.gcp_credentials, settings.google_api_endpoint
        )
        return KaggleSource(
            KaggleLogin(
                settings.kaggle_api_token,
                settings.kaggle_username,
                settings.kaggle_key,
                settings.kaggle_config_dir,
                secret or None,
            )
        )
    if settings.source == "portal":
        from chicago_crime.sources.portal import PortalSource

        return PortalSource(settings.portal_url.rstrip("/"), settings.portal_app_token)
    from chicago_crime.sources.sample import SampleSource

    return SampleSource(rows=settings.sample_rows or None, seed=settings.sample_seed, dirt=settings.sample_dirt)
